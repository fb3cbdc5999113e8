// Program → graph: names become values, write by write.
#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <unordered_map>

#include "base/error.h"
#include "base/error_name.h"
#include "graph/graph.h"
#include "graph/operators.h"
#include "graph/passes/passes.h"

namespace edgeocr::graph {

namespace {

constexpr int64_t kMaxColumns = 16;  // inputs or outputs of a network
constexpr int32_t kFp32 = 5;         // VarType

class Lowering {
 public:
  Lowering(const nb::Model& model, const std::string& name) : model_(model) {
    graph_.name = name;
    for (const nb::Param& param : model.params) params_[param.name] = &param;
  }

  Graph run() {
    for (size_t i = 0; i < model_.ops.size(); i++) {
      const nb::OpDesc& op = model_.ops[i];
      if (op.type == "feed") lower_feed(op);
      else if (op.type == "fetch") lower_fetch(op);
      else lower_node(op, static_cast<int>(i));
    }
    check_columns(graph_.inputs, "feed");
    check_columns(graph_.outputs, "fetch");
    return std::move(graph_);
  }

 private:
  ValueId add_value(const std::string& name, std::shared_ptr<const Constant> constant = nullptr) {
    graph_.values.push_back({name, std::move(constant)});
    return bound_[name] = static_cast<ValueId>(graph_.values.size() - 1);
  }

  // What the name means at this point of the program: the last write, else the parameter.
  ValueId read(const std::string& name, const std::string& reader) {
    if (auto it = bound_.find(name); it != bound_.end()) return it->second;
    auto it = params_.find(name);
    if (it == params_.end())
      fail("%s: %s reads variable %s, expected a parameter or an operator's output", graph_.name.c_str(), reader.c_str(), name.c_str());
    const nb::Param& param = *it->second;
    return add_value(name, std::make_shared<Constant>(Constant{param.dtype, param.shape, param.owner, param.data}));
  }

  const std::string& only_argument(const std::vector<nb::Argument>& arguments, const char* parameter, const std::string& op) {
    for (const nb::Argument& argument : arguments)
      if (argument.parameter == parameter && argument.arguments.size() == 1) return argument.arguments[0];
    fail("%s: %s has no single %s", graph_.name.c_str(), op.c_str(), parameter);
  }

  // The place of a feed or fetch in `columns`, which grows to hold it.
  ValueId& column(const nb::OpDesc& op, std::vector<ValueId>& columns) {
    auto it = op.attrs.find("col");
    const int32_t* col = it == op.attrs.end() ? nullptr : std::get_if<int32_t>(&it->second);
    if (col == nullptr || *col < 0 || *col >= kMaxColumns)
      fail("%s: col of a %s is %d, expected 0 to %" PRId64, graph_.name.c_str(), op.type.c_str(), col == nullptr ? -1 : *col,
           kMaxColumns - 1);
    auto index = static_cast<size_t>(*col);
    if (columns.size() <= index) columns.resize(index + 1, kNoValue);
    if (columns[index] != kNoValue) fail("%s: col %d of %s is used twice", graph_.name.c_str(), *col, op.type.c_str());
    return columns[index];
  }

  void check_columns(const std::vector<ValueId>& columns, const char* op) {
    if (columns.empty()) fail("%s: has no %s operator, expected at least one", graph_.name.c_str(), op);
    auto gap = std::ranges::find(columns, kNoValue);
    if (gap != columns.end()) fail("%s: no %s has col %zd", graph_.name.c_str(), op, gap - columns.begin());
  }

  void lower_feed(const nb::OpDesc& op) {
    const std::string& name = only_argument(op.outputs, "Out", "feed");
    auto var = std::ranges::find(model_.vars, name, &nb::VarDesc::name);
    if (var == model_.vars.end() || var->dims.empty()) fail("%s: input %s has no shape in the file", graph_.name.c_str(), name.c_str());
    if (var->data_type != kFp32)
      fail("%s: input %s has data_type %d, expected %d (fp32)", graph_.name.c_str(), name.c_str(), var->data_type, kFp32);
    ValueId& place = column(op, graph_.inputs);
    auto index = static_cast<size_t>(&place - graph_.inputs.data());
    place = add_value(name);
    graph_.feed_shapes.resize(std::max(graph_.feed_shapes.size(), index + 1));
    graph_.feed_shapes[index] = Shape(var->dims);
  }

  void lower_fetch(const nb::OpDesc& op) {
    ValueId value = read(only_argument(op.inputs, "X", "fetch"), "fetch");
    column(op, graph_.outputs) = value;
  }

  void lower_node(const nb::OpDesc& op, int index) {
    Node node;
    node.op = op.type;
    node.index = index;
    node.attrs = op.attrs;
    read_kernel_type(node);
    for (const nb::Argument& argument : op.inputs) {
      int position = 0;
      for (const std::string& name : argument.arguments) node.inputs.push_back({argument.parameter, position++, read(name, node.label())});
    }
    // Outputs of other names than the operator's result (XShape, Reserve, SavedMean, …) are never written by inference, and
    // opt's memory reuse may have given them the name of something alive: they must not be bound.
    const Operator* known = find_operator(op.type);
    std::string_view result = known != nullptr ? known->output : "Out";
    for (const nb::Argument& argument : op.outputs) {
      if (argument.parameter != result) continue;
      int position = 0;
      for (const std::string& name : argument.arguments) node.outputs.push_back({argument.parameter, position++, add_value(name)});
    }
    // Passes and plans read the one result; of operators that are not known check_operators tells more.
    if (node.op != "split" && (node.outputs.size() > 1 || (known != nullptr && node.outputs.empty())))
      fail("%s: %s has %zu results, expected 1", graph_.name.c_str(), node.label().c_str(), node.outputs.size());
    graph_.nodes.push_back(std::move(node));
  }

  // `op_type/alias/target/precision/layout`.
  void read_kernel_type(Node& node) {
    std::string text = node.attr_string("__@kernel_type_attr@__");
    std::vector<std::string_view> parts;
    for (std::string_view rest = text;;) {
      size_t slash = rest.find('/');
      parts.push_back(rest.substr(0, slash));
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
    }
    if (parts.size() == 5) {
      std::string_view precision = parts[3];
      auto [end, error] = std::from_chars(precision.data(), precision.data() + precision.size(), node.precision);
      if (error == std::errc() && end == precision.data() + precision.size()) {
        node.alias = parts[1];
        return;
      }
    }
    fail("%s: %s has kernel type \"%.80s\", expected op/alias/target/precision/layout: the file was not written by opt",
         graph_.name.c_str(), node.label().c_str(), text.c_str());
  }

  const nb::Model& model_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> bound_;
  std::unordered_map<std::string, const nb::Param*> params_;
};

}  // namespace

Graph build(const nb::Model& model, const std::string& name) {
  return with_name(name, [&] {
    Graph graph = Lowering(model, name).run();
    for (const Pass& pass : passes()) pass.run(graph);
    return graph;
  });
}

void fuse(Graph& graph, Int8 int8) {
  with_name(graph.name, [&] {
    for (const Pass& pass : fusion_passes())
      if (pass.from <= int8) pass.run(graph);
  });
}

}  // namespace edgeocr::graph
