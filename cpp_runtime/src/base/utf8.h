// UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgeocr {

// Length (1 to 4) of the well-formed sequence at the start of `text`, 0 if there is none.
size_t utf8_sequence(std::string_view text);

bool is_utf8(std::string_view text);

void append_utf8(std::string& out, uint32_t code_point);

}  // namespace edgeocr
