// Which processors heavy work belongs on where they are not alike, as the kernel tells; never a table of chip names.
#pragma once

#include <cstdint>
#include <vector>

namespace edgeocr {

struct Processor {
  int index = 0;
  int64_t maximum_khz = 0;  // 0: the kernel does not tell
};

// The processors that this thread may run on; empty where the kernel does not tell.
std::vector<Processor> allowed_processors();

// The fewest of the highest frequencies that are at least `count`, those of equal frequency all of them or none: the kernel may still
// choose among equals. Empty where that is no choice, because there are none but these, or where frequencies are unknown.
std::vector<int> fastest_processors(std::vector<Processor> processors, int count);

// Lets this thread run on these processors only. Without effect where that is denied, or none are given.
void stay_on(const std::vector<int>& processors);

}  // namespace edgeocr
