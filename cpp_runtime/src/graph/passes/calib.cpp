#include "graph/passes/calib.h"

#include "base/error.h"

namespace edgeocr::graph {

float calib_scale(const Node& node) {
  const std::vector<float> scale = node.attr_floats("scale");
  if (scale.size() != 1) fail("%s: scale has %zu values, expected 1", node.label().c_str(), scale.size());
  if (!(scale[0] > 0)) fail("%s: scale is %g, expected more than 0", node.label().c_str(), static_cast<double>(scale[0]));
  return scale[0];
}

}  // namespace edgeocr::graph
