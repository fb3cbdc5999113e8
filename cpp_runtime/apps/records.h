// The JSON records of the protocol (PROTOCOL.md), one line each on stdout.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/json.h"
#include "edgeocr/pipeline.h"
#include "edgeocr/session.h"

namespace edgeocr {

class Shape;

constexpr int kProtocol = 1;

// What a request of `serve` calls itself; echoed in every record that answers it.
using RequestId = std::variant<int64_t, std::string>;

// Starts a record: {"type":TYPE[,"id":ID]. The caller adds members and calls emit.
JsonWriter begin_record(std::string_view type, const std::optional<RequestId>& id = std::nullopt);
// stdout cannot be written: nothing more can be said.
class OutputError : public Error {
 public:
  using Error::Error;
};

// Ends the object, writes the line and flushes. Throws OutputError.
void emit(JsonWriter& record);

void emit_hello(int threads);
void emit_picture(const std::string& picture, int repeat, const PictureResult& result, const std::optional<RequestId>& id);
// `picture` empty: the error belongs to a request that names none.
void emit_error(const std::string& picture, const std::string& message, const std::optional<RequestId>& id);
// ms: milliseconds of one run; left out where not measured.
void emit_node(int index, const NodeProfile& node, std::optional<double> ms);

// "key":[d0,d1,…]
void write_shape(JsonWriter& record, std::string_view key, const Shape& shape);

}  // namespace edgeocr
