#include "records.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/tensor.h"
#include "isa.h"

namespace edgeocr {
namespace {

void write_line(JsonWriter& record, const RecognisedLine& line) {
  record.begin_object().key("box").begin_array();
  for (const std::array<int, 2>& corner : line.box) record.begin_array().value(corner[0]).value(corner[1]).end_array();
  record.end_array();
  record.key("text").value(line.text);
  record.key("score").value(line.score);
  record.key("box_score").value(line.box_score);
  record.key("cls_score").value(line.cls_score);
  record.key("turned").value(line.turned);
  record.key("kept").value(line.kept);
  record.key("rec_width").value(line.rec_width);
  record.end_object();
}

void write_times(JsonWriter& record, const StageTimes& ms) {
  record.begin_object();
  record.key("decode").value(ms.decode);
  record.key("det_pre").value(ms.det_pre);
  record.key("det").value(ms.det);
  record.key("det_post").value(ms.det_post);
  record.key("crop").value(ms.crop);
  record.key("cls").value(ms.cls);
  record.key("rec").value(ms.rec);
  record.key("rec_per_box").value(ms.boxes > 0 ? ms.rec / ms.boxes : 0.0);
  record.key("total").value(ms.total);
  record.end_object();
}

}  // namespace

JsonWriter begin_record(std::string_view type, const std::optional<RequestId>& id) {
  JsonWriter record;
  record.begin_object().key("type").value(type);
  if (id) {
    record.key("id");
    std::visit([&](const auto& value) { record.value(value); }, *id);
  }
  return record;
}

void emit(JsonWriter& record) {
  record.end_object();
  const std::string line = record.str() + "\n";
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) {
    throw OutputError(std::string("stdout: cannot write: ") + std::strerror(errno));
  }
}

void emit_hello(int threads) {
  JsonWriter record = begin_record("hello");
  record.key("protocol").value(kProtocol);
  record.key("version").value(EDGEOCR_VERSION);
  record.key("arch").value(architecture());
  record.key("isa").begin_array();
  for (const std::string& feature : isa_features()) record.value(feature);
  record.end_array();
  record.key("threads").value(threads);
  emit(record);
}

void emit_picture(const std::string& picture, int repeat, const PictureResult& result, const std::optional<RequestId>& id) {
  JsonWriter record = begin_record("picture", id);
  record.key("picture").value(picture);
  record.key("repeat").value(repeat);
  record.key("size").begin_array().value(result.width).value(result.height).end_array();
  record.key("det_input").begin_array();
  for (const int dim : result.det_input) record.value(dim);
  record.end_array();
  record.key("det_sum").value(result.det_sum);
  record.key("lines").begin_array();
  for (const RecognisedLine& line : result.lines) write_line(record, line);
  record.end_array();
  record.key("ms");
  write_times(record, result.ms);
  emit(record);
}

void emit_error(const std::string& picture, const std::string& message, const std::optional<RequestId>& id) {
  JsonWriter record = begin_record("error", id);
  if (!picture.empty()) record.key("picture").value(picture);
  record.key("message").value(message);
  emit(record);
}

void emit_node(int index, const NodeProfile& node, std::optional<double> ms) {
  JsonWriter record = begin_record("node");
  record.key("index").value(index);
  record.key("op").value(node.op);
  record.key("kernel").value(node.kernel);
  record.key("output").value(node.output_shape);
  if (ms) record.key("ms").value(*ms);
  record.key("macs").value(node.macs);
  record.key("bytes").value(node.bytes);
  record.key("band_rows").value(node.band_rows);
  emit(record);
}

void write_shape(JsonWriter& record, std::string_view key, const Shape& shape) {
  record.key(key).begin_array();
  for (const int64_t dim : shape.dims()) record.value(dim);
  record.end_array();
}

}  // namespace edgeocr
