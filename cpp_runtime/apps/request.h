// Requests of `serve`: one JSON object a line.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "records.h"

namespace edgeocr {

struct Request {
  RequestId id;
  bool quit = false;
  std::string picture;         // a path; empty with quit
  std::optional<int> repeats;  // 1 … 1000000
};

// A request that cannot be answered; carries its id where that much could be read.
class RequestError : public Error {
 public:
  RequestError(const std::string& message, std::optional<RequestId> id) : Error(message), id_(std::move(id)) {}
  const std::optional<RequestId>& id() const { return id_; }

 private:
  std::optional<RequestId> id_;
};

// Throws RequestError: no JSON, no object, an unknown member, one that is missing or has the wrong type.
Request parse_request(std::string_view line);

// Reads the next line without its end, at most kMaxJsonBytes of it; a longer one is skipped whole and sets `too_long`. False at the
// end of input, when `line` is empty.
bool read_request_line(std::FILE* stream, std::string& line, bool& too_long);

}  // namespace edgeocr
