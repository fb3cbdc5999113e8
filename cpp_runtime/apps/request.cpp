#include "request.h"

#include <cmath>

#include "base/json.h"

namespace edgeocr {
namespace {

constexpr int kMaxRepeats = 1'000'000;
constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1: beyond, other integers give the same double

std::optional<int64_t> integer_of(const JsonValue& value) {
  const double* number = value.as<double>();
  if (!number || *number != std::floor(*number) || std::abs(*number) > kMaxInteger) return std::nullopt;
  return static_cast<int64_t>(*number);
}

RequestId id_of(const JsonValue& request) {
  const JsonValue* member = request.find("id");
  if (!member) throw RequestError("request has no id: expected {\"id\":1,\"picture\":\"/path\"} or {\"id\":1,\"quit\":true}", std::nullopt);
  if (const std::string* text = member->as<std::string>()) return *text;
  if (const std::optional<int64_t> number = integer_of(*member)) return *number;
  throw RequestError("request's id is no integer and no string", std::nullopt);
}

void check_members(const JsonValue& request, const RequestId& id) {
  for (const auto& [name, value] : *request.as<JsonValue::Object>()) {
    if (name != "id" && name != "picture" && name != "repeats" && name != "quit") {
      throw RequestError("request has the unknown member '" + name + "', expected id, picture, repeats or quit", id);
    }
  }
}

bool quit_of(const JsonValue& request, const RequestId& id) {
  const JsonValue* member = request.find("quit");
  if (!member) return false;
  const bool* quit = member->as<bool>();
  if (!quit) throw RequestError("request's quit is not true or false", id);
  return *quit;
}

std::string picture_of(const JsonValue& request, const RequestId& id) {
  const JsonValue* member = request.find("picture");
  const std::string* picture = member ? member->as<std::string>() : nullptr;
  if (!picture || picture->empty() || picture->find('\0') != std::string::npos) {
    throw RequestError(member ? "request's picture is not a path" : "request has no picture", id);
  }
  return *picture;
}

std::optional<int> repeats_of(const JsonValue& request, const RequestId& id) {
  const JsonValue* member = request.find("repeats");
  if (!member) return std::nullopt;
  const std::optional<int64_t> repeats = integer_of(*member);
  if (!repeats || *repeats < 1 || *repeats > kMaxRepeats) {
    throw RequestError("request's repeats is not an integer from 1 to " + std::to_string(kMaxRepeats), id);
  }
  return static_cast<int>(*repeats);
}

JsonValue parse_object(std::string_view line) {
  JsonValue request;
  try {
    request = parse_json(line);
  } catch (const Error& error) {
    throw RequestError(error.what(), std::nullopt);
  }
  if (!request.as<JsonValue::Object>()) throw RequestError("request is no JSON object", std::nullopt);
  return request;
}

}  // namespace

Request parse_request(std::string_view line) {
  const JsonValue object = parse_object(line);
  Request request{id_of(object), false, "", std::nullopt};
  check_members(object, request.id);
  request.quit = quit_of(object, request.id);
  if (request.quit) return request;
  request.picture = picture_of(object, request.id);
  request.repeats = repeats_of(object, request.id);
  return request;
}

bool read_request_line(std::FILE* stream, std::string& line, bool& too_long) {
  line.clear();
  too_long = false;
  int byte = std::getc(stream);
  if (byte == EOF) return false;
  for (; byte != EOF && byte != '\n'; byte = std::getc(stream)) {
    if (line.size() < kMaxJsonBytes) {
      line.push_back(static_cast<char>(byte));
    } else {
      too_long = true;
    }
  }
  return true;
}

}  // namespace edgeocr
