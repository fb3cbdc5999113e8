#include "ocr/perspective.h"

#include <cfloat>
#include <cmath>
#include <utility>

namespace edgeocr::ocr {
namespace {

constexpr int kUnknowns = 8;
constexpr double kSingular = DBL_EPSILON * 100;
using Row = std::array<double, kUnknowns + 1>;  // the equation's right side last
using Equations = std::array<Row, kUnknowns>;

// Two equations a corner pair: x' = (a x + b y + c) / (g x + h y + 1), y' likewise. Products are taken in float, as OpenCV takes
// them from its Point2f.
Equations equations_of(const Quad& from, const Quad& to) {
  Equations equations{};
  for (size_t i = 0; i < 4; ++i) {
    const float x = from[i].x, y = from[i].y, u = to[i].x, v = to[i].y;
    equations[i] = {x, y, 1, 0, 0, 0, -x * u, -y * u, u};
    equations[i + 4] = {0, 0, 0, x, y, 1, -x * v, -y * v, v};
  }
  return equations;
}

// Gaussian elimination with row pivots; false where the system is singular.
bool eliminate(Equations& rows) {
  for (size_t i = 0; i < kUnknowns; ++i) {
    size_t pivot = i;
    for (size_t j = i + 1; j < kUnknowns; ++j) {
      if (std::abs(rows[j][i]) > std::abs(rows[pivot][i])) pivot = j;
    }
    if (std::abs(rows[pivot][i]) < kSingular) return false;
    std::swap(rows[i], rows[pivot]);
    const double factor = -1 / rows[i][i];
    for (size_t j = i + 1; j < kUnknowns; ++j) {
      const double alpha = rows[j][i] * factor;
      for (size_t k = i + 1; k <= kUnknowns; ++k) rows[j][k] += alpha * rows[i][k];
    }
  }
  return true;
}

}  // namespace

Matrix3 perspective_transform(const Quad& from, const Quad& to) {
  Matrix3 solution{};
  solution[8] = 1;
  Equations rows = equations_of(from, to);
  if (!eliminate(rows)) return solution;
  for (size_t i = kUnknowns; i-- > 0;) {
    double sum = rows[i][kUnknowns];
    for (size_t k = i + 1; k < kUnknowns; ++k) sum -= rows[i][k] * solution[k];
    solution[i] = sum / rows[i][i];
  }
  return solution;
}

Matrix3 inverse(const Matrix3& m) {
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
  if (determinant == 0) return {};
  const double d = 1 / determinant;
  return {(m[4] * m[8] - m[5] * m[7]) * d, (m[2] * m[7] - m[1] * m[8]) * d, (m[1] * m[5] - m[2] * m[4]) * d,
          (m[5] * m[6] - m[3] * m[8]) * d, (m[0] * m[8] - m[2] * m[6]) * d, (m[2] * m[3] - m[0] * m[5]) * d,
          (m[3] * m[7] - m[4] * m[6]) * d, (m[1] * m[6] - m[0] * m[7]) * d, (m[0] * m[4] - m[1] * m[3]) * d};
}

}  // namespace edgeocr::ocr
