#include "base/error.h"

#include <cstdarg>
#include <cstdio>

namespace edgeocr {

void fail(const char* format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  std::string text(static_cast<size_t>(std::vsnprintf(nullptr, 0, format, args)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(args);
  // Names and texts from files may hold anything, a message is one line.
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  throw Error(text);
}

}  // namespace edgeocr
