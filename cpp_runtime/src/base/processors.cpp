#include "base/processors.h"

#include <algorithm>

#if defined(__linux__)
#include <sched.h>

#include <fstream>
#include <string>
#endif

namespace edgeocr {

std::vector<int> fastest_processors(std::vector<Processor> processors, int count) {
  std::ranges::sort(processors, [](const Processor& a, const Processor& b) { return a.maximum_khz > b.maximum_khz; });
  if (static_cast<size_t>(count) >= processors.size() || processors.back().maximum_khz == 0) return {};
  const int64_t least = processors[static_cast<size_t>(count) - 1].maximum_khz;
  std::vector<int> fastest;
  for (const Processor& processor : processors)
    if (processor.maximum_khz >= least) fastest.push_back(processor.index);
  return fastest.size() == processors.size() ? std::vector<int>{} : fastest;
}

#if defined(__linux__)

std::vector<Processor> allowed_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  std::vector<Processor> processors;
  for (int index = 0; index < CPU_SETSIZE; index++) {
    if (!CPU_ISSET(static_cast<unsigned>(index), &allowed)) continue;
    Processor processor{.index = index};
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(index) + "/cpufreq/cpuinfo_max_freq");
    if (!(file >> processor.maximum_khz)) processor.maximum_khz = 0;
    processors.push_back(processor);
  }
  return processors;
}

void stay_on(const std::vector<int>& processors) {
  if (processors.empty()) return;
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int index : processors) CPU_SET(static_cast<unsigned>(index), &wanted);
  sched_setaffinity(0, sizeof wanted, &wanted);
}

#else

std::vector<Processor> allowed_processors() { return {}; }
void stay_on(const std::vector<int>&) {}

#endif

}  // namespace edgeocr
