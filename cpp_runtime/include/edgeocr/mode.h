// How nets are computed.
#pragma once

#include <cstdint>

namespace edgeocr {

// What a net computes in. as_stored: what its file has. fp32, int8: the same, but a file of the other kind is refused. fp16: fp32 files,
// on processors with fp16 arithmetic; operators without an fp16 kernel stay fp32.
enum class Precision : uint8_t { as_stored, fp32, fp16, int8 };

// How an int8 net computes, each quicker than the one before. exact: Paddle-Lite's bits. fast: int8 results are one off at times
// (graph/passes/mark_fast_int8.h), and what is dear of the net's fp32 part computes in fp16 where the processor can. composed: fast, and
// a detector's pyramid joins the convolutions behind it, without the roundings between them (graph/passes/compose_int8_fpn.h).
enum class Int8 : uint8_t { exact, fast, composed };

}  // namespace edgeocr
