#include "kernels/unary.h"

#include "base/error.h"

namespace edgeocr::kernels {

namespace {

struct Named {
  std::string_view name;
  UnaryOp op;
};
constexpr Named kNamed[] = {
    {"relu", UnaryOp::relu},
    {"relu6", UnaryOp::relu6},
    {"leaky_relu", UnaryOp::leaky_relu},
    {"hard_swish", UnaryOp::hard_swish},
    {"hard_sigmoid", UnaryOp::hard_sigmoid},
    {"sigmoid", UnaryOp::sigmoid},
    {"tanh", UnaryOp::tanh},
    {"swish", UnaryOp::swish},
};

const Named* find(std::string_view name) {
  for (const Named& entry : kNamed)
    if (entry.name == name) return &entry;
  return nullptr;
}

UnaryParameters parameters_of(const graph::Node& node, UnaryOp op) {
  UnaryParameters p;
  switch (op) {
    case UnaryOp::relu: p.act.kind = ActKind::relu; break;
    case UnaryOp::relu6:
      p.act.kind = ActKind::relu6;
      p.act.threshold = node.attr_float("threshold", 6.0f);
      break;
    case UnaryOp::leaky_relu:
      p.act.kind = ActKind::leaky_relu;
      p.act.alpha = node.attr_float("alpha");
      break;
    case UnaryOp::hard_swish:
      p.act.kind = ActKind::hard_swish;
      p.act.threshold = node.attr_float("threshold", 6.0f);
      p.act.inverse_scale = 1.0f / node.attr_float("scale", 6.0f);
      p.act.offset = node.attr_float("offset", 3.0f);
      break;
    case UnaryOp::hard_sigmoid:
      p.slope = node.attr_float("slope", 0.2f);
      p.offset = node.attr_float("offset", 0.5f);
      break;
    case UnaryOp::swish: p.beta = node.attr_float("beta", 1.0f); break;
    case UnaryOp::sigmoid:
    case UnaryOp::tanh: break;
  }
  return p;
}

}  // namespace

bool is_unary(std::string_view op) { return find(op) != nullptr; }

Unary unary_of(const graph::Node& node) {
  const Named* named = find(node.op);
  if (named == nullptr) fail("%s: not an activation", node.label().c_str());
  return {named->op, parameters_of(node, named->op)};
}

bool keeps_zero(UnaryOp op) { return op != UnaryOp::hard_sigmoid && op != UnaryOp::sigmoid; }

}  // namespace edgeocr::kernels
