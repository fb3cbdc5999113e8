// Names of fp32 products, for kernels that know no other type.
#pragma once

#include "kernels/neon/gemm.h"

namespace edgeocr::kernels::neon {

using FormF32 = FloatForm;
using ConstantsF32 = Constants<float>;
using RowF32 = Row<float>;
using FinishF32 = Finish<float>;
using GemmF32 = Gemm<float>;

}  // namespace edgeocr::kernels::neon
