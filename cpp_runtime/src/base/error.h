// The one exception type of the runtime.
//
// A message is one line that says what is wrong, where, and (if the user can act) what to do:
//   "det.nb: topology_size is 91234567, expected at most 296712 (file size minus 26): the file is truncated or not a .nb"
// Programs print it to stderr after "error: " and exit with 1. Asserts are for programmer errors only.
#pragma once

#include <stdexcept>
#include <string>

namespace edgeocr {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// Control characters replaced by '?': names and texts from files and command lines may hold anything.
std::string one_line(std::string text);

// printf-style: throws Error, control characters replaced by '?'. `format` is a literal.
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...);

}  // namespace edgeocr
