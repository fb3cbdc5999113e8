// The steps around the nets, one C function each, for the tests that compare them with OpenCV, pyclipper and numpy (tests/ocr).
//
// Pictures are rows of B G R bytes without gaps. A result of unknown size is given as memory that steps_free takes back. Every
// function returns what it counts, or 0 for success; -1 means that the step threw, and steps_error() has its message.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define STEPS_API extern "C" __attribute__((visibility("default")))

STEPS_API const char* steps_error();  // of the last failed call on this thread
STEPS_API void steps_free(void* memory);

// size: width, height of the decoded picture.
STEPS_API int steps_decode(const void* file, size_t bytes, const char* name, int size[2], uint8_t** bgr);
STEPS_API int steps_decode_file(const char* path, int size[2], uint8_t** bgr);

STEPS_API int steps_resize(const uint8_t* bgr, int width, int height, int out_width, int out_height, uint8_t* out);
STEPS_API int steps_rotate_90_ccw(const uint8_t* bgr, int width, int height, uint8_t* out);
STEPS_API int steps_rotate_180(uint8_t* bgr, int width, int height);

// counts: points of each contour; points: x, y of all of them in turn. Returns the number of contours.
STEPS_API int steps_find_contours(const uint8_t* mask, int width, int height, size_t limit, int** counts, int** points);
// points: `count` pairs x, y. Returns the number of corners, at most `count`, written to `hull`.
STEPS_API int steps_convex_hull(const int* points, int count, int* hull);
STEPS_API int steps_mini_box(const int* points, int count, float quad[8], float* short_side);
// Returns the number of points.
STEPS_API int steps_unclip(const float quad[8], float ratio, int** points);
STEPS_API int steps_box_score(const float* map, int width, int height, const float quad[8], float* score);
// boxes: nine floats each, the corners and the score. Returns the number of boxes.
STEPS_API int steps_decode_db(const float* map, int width, int height, int picture_width, int picture_height, float** boxes);
STEPS_API int steps_order_corners(const float quad[8], float out[8]);
// In place, nine floats a box. Returns the number of boxes left.
STEPS_API int steps_filter_and_sort(float* boxes, int count, int picture_width, int picture_height);

STEPS_API int steps_perspective(const float from[8], const float to[8], double matrix[9]);
STEPS_API int steps_crop(const uint8_t* bgr, int width, int height, const float quad[8], int size[2], uint8_t** out);

STEPS_API int steps_detector_size(int width, int height, int limit_side_len, int size[2]);
// size: net width, content width. The classifier's where net_height is 0.
STEPS_API int steps_line_size(int width, int height, int net_height, int size[2]);
// Fills batch item n of `batch` x 3 x net_height x net_width; out has the engine's layout, pixel stride 4.
STEPS_API int steps_fill_input(const uint8_t* bgr, int width, int height, int content_width, int is_detector, int batch, int n,
                               int net_height, int net_width, float* out);

STEPS_API int steps_decode_ctc(const char* dictionary, size_t bytes, const int* classes, const float* probabilities, size_t steps,
                               char** text, float* score);
// Returns the number of classes that a dictionary file has, after checking it against the model's if that is not 0.
STEPS_API int steps_load_dictionary(const char* path, size_t model_classes, const char* model);
