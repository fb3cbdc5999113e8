// edgeocr_run info: what a `.nb` file holds, and what the engine makes of it for an input shape.
#include <algorithm>
#include <cstdio>
#include <map>

#include "arguments.h"
#include "base/tensor.h"
#include "command.h"
#include "edgeocr/session.h"
#include "mode.h"
#include "nb/nb.h"
#include "records.h"

namespace edgeocr {
namespace {

// Dimensions of the first input as the file states them; empty if it has none.
std::vector<int64_t> feed_shape(const nb::Model& model) {
  for (const nb::OpDesc& op : model.ops) {
    if (op.type != "feed" || op.outputs.empty() || op.outputs[0].arguments.empty()) continue;
    const auto var =
        std::find_if(model.vars.begin(), model.vars.end(), [&](const nb::VarDesc& v) { return v.name == op.outputs[0].arguments[0]; });
    if (var != model.vars.end()) return var->dims;
  }
  return {};
}

int64_t weight_bytes(const nb::Model& model) {
  int64_t bytes = 0;
  for (const nb::Param& param : model.params) bytes += static_cast<int64_t>(param.data.size());
  return bytes;
}

// "int8": static, activations too; "int8 weights" / "int16 weights": stored so, computed in fp32; "fp16" and "fp32": by the kernels.
std::string precision(const nb::Model& model) {
  bool weights8 = false, weights16 = false, half = false;
  for (const nb::OpDesc& op : model.ops) {
    if (const auto found = op.attrs.find("enable_int8"); found != op.attrs.end()) {
      const bool* enabled = std::get_if<bool>(&found->second);
      if (enabled && *enabled) return "int8";
    }
    if (const auto found = op.attrs.find("quantize_weight_bits"); found != op.attrs.end()) {
      const int32_t* bits = std::get_if<int32_t>(&found->second);
      weights8 |= bits && *bits == 8;
      weights16 |= bits && *bits == 16;
    }
    half |= std::any_of(op.attrs.begin(), op.attrs.end(), [](const auto& attr) { return attr.first.ends_with("_fp16"); });
  }
  return weights8 ? "int8 weights" : weights16 ? "int16 weights" : half ? "fp16" : "fp32";
}

void emit_info(const nb::Model& model) {
  std::map<std::string, int> operators;
  for (const nb::OpDesc& op : model.ops) ++operators[op.type];
  JsonWriter record = begin_record("info");
  record.key("meta_version").value(model.meta_version);
  record.key("opt_version").value(model.opt_version);
  record.key("operators").begin_object();
  for (const auto& [type, count] : operators) record.key(type).value(count);
  record.end_object();
  record.key("params").value(model.params.size());
  record.key("weight_bytes").value(weight_bytes(model));
  record.key("feed").begin_array();
  for (const int64_t dim : feed_shape(model)) record.value(dim);
  record.end_array();
  record.key("precision").value(precision(model));
  emit(record);
}

void emit_plan(const std::string& path, const std::vector<int64_t>& input, const ModeOptions& mode) {
  SessionOptions options;
  set_mode(options, mode);
  options.greedy_ctc = true;
  Session session = Session::load(path, options);
  const Shape shape{std::span<const int64_t>(input)};
  session.prepare({&shape, 1});
  const std::vector<NodeProfile> nodes = session.nodes();
  for (size_t i = 0; i < nodes.size(); ++i) emit_node(static_cast<int>(i), nodes[i], std::nullopt);
}

}  // namespace

int command_info(CommandArguments given) {
  std::vector<int64_t> input;
  ModeOptions mode;
  Arguments arguments("edgeocr_run info MODEL.nb [--input N,C,H,W [options]]");
  arguments.shape("--input", "N,C,H,W", "also show the plan of this input shape", &input);
  add_mode(arguments, mode);
  const std::vector<std::string> rest = arguments.parse(given);
  if (arguments.wants_help()) {
    std::fputs(arguments.help().c_str(), stdout);
    return 0;
  }
  if (rest.size() != 1) throw UsageError("expected one model, got " + std::to_string(rest.size()) + ": edgeocr_run info MODEL.nb");
  if (input.empty() && mode != ModeOptions{}) throw UsageError("what the net computes in is of its plan: give --input too");
  emit_hello(1);
  emit_info(nb::read_file(rest[0]));
  if (!input.empty()) emit_plan(rest[0], input, mode);
  return 0;
}

}  // namespace edgeocr
