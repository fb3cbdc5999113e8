// Putting a file's name before the messages of code that does not know it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace edgeocr {

// Calls `body`; an Error whose message does not begin with "<name>: " gets that prefix.
template <class Body> decltype(auto) with_name(const std::string& name, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& e) {
    const std::string prefix = one_line(name) + ": ";
    if (std::string_view(e.what()).starts_with(prefix)) throw;
    throw Error(prefix + e.what());
  }
}

}  // namespace edgeocr
