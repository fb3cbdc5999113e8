// Shape inference, one function per operator family: each reads the context's inputs and sets its outputs, or rejects.
#pragma once

namespace edgeocr::graph {

class InferContext;

void infer_conv(InferContext& context);                 // infer_conv.cpp
void infer_conv_over_upsampled(InferContext& context);  // infer_conv_over_upsampled.cpp
void infer_conv_transpose(InferContext& context);       // infer_conv.cpp
void infer_conv_transpose_pair(InferContext& context);  // infer_conv_transpose_pair.cpp
void infer_pool(InferContext& context);                 // infer_pool.cpp
void infer_nearest_interp(InferContext& context);       // infer_interp.cpp

void infer_activation(InferContext& context);   // infer_elementwise.cpp
void infer_batch_norm(InferContext& context);   // infer_elementwise.cpp
void infer_calib(InferContext& context);        // infer_elementwise.cpp
void infer_elementwise(InferContext& context);  // infer_elementwise.cpp
void infer_softmax(InferContext& context);      // infer_elementwise.cpp

void infer_greedy_ctc(InferContext& context);  // infer_greedy_ctc.cpp

void infer_fc(InferContext& context);      // infer_matmul.cpp
void infer_matmul(InferContext& context);  // infer_matmul.cpp
void infer_mul(InferContext& context);     // infer_matmul.cpp
void infer_rnn(InferContext& context);     // infer_rnn.cpp

void infer_flatten2(InferContext& context);                  // infer_reshape.cpp
void infer_flatten_contiguous_range(InferContext& context);  // infer_reshape.cpp
void infer_reshape(InferContext& context);                   // infer_reshape.cpp
void infer_squeeze(InferContext& context);                   // infer_reshape.cpp
void infer_unsqueeze(InferContext& context);                 // infer_reshape.cpp
void infer_transpose(InferContext& context);                 // infer_reshape.cpp

void infer_concat(InferContext& context);  // infer_slice.cpp
void infer_slice(InferContext& context);   // infer_slice.cpp
void infer_split(InferContext& context);   // infer_slice.cpp

void infer_shape(InferContext& context);                          // infer_fill.cpp
void infer_fill_constant(InferContext& context);                  // infer_fill.cpp
void infer_fill_constant_batch_size_like(InferContext& context);  // infer_fill.cpp

}  // namespace edgeocr::graph
