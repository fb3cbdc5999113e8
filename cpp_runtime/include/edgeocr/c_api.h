/* The runtime for other languages: plain C, opaque handles, no exceptions.
 *
 * A function that can fail returns NULL or a non-zero int; edgeocr_last_error() then gives the line that says what, where and what
 * to do. Strings are UTF-8. A handle is used by one thread at a time; different handles do not share anything.
 */
#ifndef EDGEOCR_C_API_H
#define EDGEOCR_C_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EDGEOCR_API __attribute__((visibility("default")))
#else
#define EDGEOCR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
EDGEOCR_API const char* edgeocr_version(void);

/* The calling thread's last failure, valid until its next failing call; "" if there was none. */
EDGEOCR_API const char* edgeocr_last_error(void);

/* What nets are computed in. */
enum {
  EDGEOCR_PRECISION_AS_STORED = 0, /* each in what its file has; the default */
  EDGEOCR_PRECISION_FP32 = 1,      /* int8 nets are refused */
  EDGEOCR_PRECISION_FP16 = 2,      /* fp32 nets in fp16; int8 nets are refused, and processors without fp16 arithmetic (armv8.2-a) */
  EDGEOCR_PRECISION_INT8 = 3       /* fp32 nets are refused */
};

/* How int8 nets are computed. */
enum {
  EDGEOCR_INT8_EXACT = 0,   /* the bits of Paddle-Lite; the default */
  EDGEOCR_INT8_FAST = 1,    /* quicker; results are one off at times, and not the same on every processor */
  EDGEOCR_INT8_COMPOSED = 2 /* quicker still: also without the roundings within a detector's pyramid */
};

/* ---- One network ------------------------------------------------------------------------------------------------------------ */

typedef struct edgeocr_session edgeocr_session;

/* Meaning and range as in session.h. Always start from edgeocr_session_options_init. */
typedef struct edgeocr_session_options {
  int threads;
  int generic_only; /* != 0: keeps to the plain kernels, which have exact int8 only and no fp16 */
  int int8;         /* EDGEOCR_INT8_…; fp32 nets are computed alike */
  int dynamic_int8; /* != 0: large fp32 matrix products in int8; a net without any is refused */
  int precision;    /* EDGEOCR_PRECISION_… */
} edgeocr_session_options;

EDGEOCR_API void edgeocr_session_options_init(edgeocr_session_options* options);

/* Loads a `.nb` file. */
EDGEOCR_API edgeocr_session* edgeocr_session_create_with(const char* path, const edgeocr_session_options* options);
/* The same with these options, the others as edgeocr_session_options_init leaves them. */
EDGEOCR_API edgeocr_session* edgeocr_session_create(const char* path, int threads, int generic_only);
EDGEOCR_API void edgeocr_session_destroy(edgeocr_session* session); /* NULL is allowed */

/* Runs the network on one input: N x C x H x W floats, row-major. */
EDGEOCR_API int edgeocr_session_run(edgeocr_session* session, const float* input, const int64_t shape[4]);

/* Output `index` of the last run as row-major floats (N x C x H x W if it is a map). Writes the rank and at most 6 sizes. The memory
 * belongs to the session and is valid until its next call. */
EDGEOCR_API const float* edgeocr_session_output(edgeocr_session* session, int index, int* rank, int64_t shape[6]);

/* ---- Pictures to text ------------------------------------------------------------------------------------------------------- */

typedef struct edgeocr_pipeline edgeocr_pipeline;
typedef struct edgeocr_result edgeocr_result;

/* Meaning and range as in pipeline.h. Always start from edgeocr_pipeline_options_init. */
typedef struct edgeocr_pipeline_options {
  const char* detector; /* paths; NULL or empty: none */
  const char* classifier;
  const char* recogniser;
  const char* dictionary; /* the recogniser's */
  int threads;
  int generic_only;
  int limit_side_len;
  float det_db_thresh;
  float det_db_box_thresh;
  float det_db_unclip_ratio;
  float cls_thresh;
  float drop_score;
  int rec_batch_num;
  int int8;         /* EDGEOCR_INT8_…, of all nets */
  int dynamic_int8; /* != 0: large fp32 matrix products of the recogniser in int8; one without any is refused */
  int precision;    /* EDGEOCR_PRECISION_…, of all nets */
} edgeocr_pipeline_options;

typedef struct edgeocr_line {
  int box[4][2];    /* x, y; clockwise from the top left corner, in picture pixels */
  const char* text; /* belongs to the result */
  float score;
  float box_score;
  float cls_score;
  int turned; /* 1: read upside down */
  int kept;   /* 1: has text and score >= drop_score */
} edgeocr_line;

EDGEOCR_API void edgeocr_pipeline_options_init(edgeocr_pipeline_options* options);
EDGEOCR_API edgeocr_pipeline* edgeocr_pipeline_create(const edgeocr_pipeline_options* options);
EDGEOCR_API void edgeocr_pipeline_destroy(edgeocr_pipeline* pipeline); /* NULL is allowed */

/* Reads a JPEG, PNG or BMP file. The result outlives the pipeline. */
EDGEOCR_API edgeocr_result* edgeocr_pipeline_read(edgeocr_pipeline* pipeline, const char* picture_path);
EDGEOCR_API void edgeocr_result_destroy(edgeocr_result* result); /* NULL is allowed */

EDGEOCR_API int edgeocr_result_width(const edgeocr_result* result);
EDGEOCR_API int edgeocr_result_height(const edgeocr_result* result);
EDGEOCR_API size_t edgeocr_result_line_count(const edgeocr_result* result);
/* Lines in reading order; index < line_count. */
EDGEOCR_API int edgeocr_result_line(const edgeocr_result* result, size_t index, edgeocr_line* line);

#ifdef __cplusplus
}
#endif

#endif
