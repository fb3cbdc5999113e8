#include "base/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace edgeocr;

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

}  // namespace

// FIPS 180-4 / NIST CSRC examples.
TEST_CASE("sha256: the published examples") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(bytes("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(bytes(std::string(1000000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: the result does not depend on how the bytes arrive") {
  for (size_t length : {1u, 54u, 55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 128u, 300u}) {
    std::string text;
    for (size_t i = 0; i < length; i++) text += static_cast<char>(i * 7 + length);
    for (size_t piece : {1u, 3u, 55u, 64u, 100u}) {
      INFO(length, " ", piece);
      Sha256 sha;
      for (size_t at = 0; at < length; at += piece) sha.update(bytes(text).subspan(at, std::min(piece, length - at)));
      CHECK(sha.finish() == sha256_hex(bytes(text)));
    }
  }
}
