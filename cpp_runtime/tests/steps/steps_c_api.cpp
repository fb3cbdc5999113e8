#include "steps_c_api.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "ocr/box_order.h"
#include "ocr/crop.h"
#include "ocr/ctc.h"
#include "ocr/db.h"
#include "ocr/decode.h"
#include "ocr/input.h"
#include "ocr/resize.h"

namespace {

using namespace edgeocr;
using namespace edgeocr::ocr;

thread_local std::string last_error;

template <class Step> int guarded(const Step& step) {
  try {
    return step();
  } catch (const std::exception& error) {
    last_error = error.what();
    return -1;
  }
}

template <class T> T* to_c_memory(const std::vector<T>& values) {
  T* memory = static_cast<T*>(std::malloc(values.size() * sizeof(T) + 1));
  std::copy(values.begin(), values.end(), memory);
  return memory;
}

Image to_image(const uint8_t* bgr, int width, int height) {
  Image image(width, height);
  std::copy_n(bgr, image.bgr.size(), image.bgr.begin());
  return image;
}

int give_image(const Image& image, int size[2], uint8_t** bgr) {
  size[0] = image.width;
  size[1] = image.height;
  *bgr = to_c_memory(image.bgr);
  return 0;
}

Quad to_quad(const float* corners) {
  Quad quad;
  for (size_t i = 0; i < 4; ++i) quad[i] = {corners[2 * i], corners[2 * i + 1]};
  return quad;
}

void write_quad(const Quad& quad, float* out) {
  for (Point corner : quad) {
    *out++ = corner.x;
    *out++ = corner.y;
  }
}

std::vector<PixelPoint> to_points(const int* values, int count) {
  std::vector<PixelPoint> points;
  for (int i = 0; i < count; ++i) points.push_back({values[2 * i], values[2 * i + 1]});
  return points;
}

std::vector<int> flattened(const std::vector<PixelPoint>& points) {
  std::vector<int> values;
  for (PixelPoint p : points) values.insert(values.end(), {p.x, p.y});
  return values;
}

constexpr size_t kBoxFloats = 9;

std::vector<float> flattened(const std::vector<TextBox>& boxes) {
  std::vector<float> values(boxes.size() * kBoxFloats);
  for (size_t i = 0; i < boxes.size(); ++i) {
    write_quad(boxes[i].quad, values.data() + i * kBoxFloats);
    values[i * kBoxFloats + 8] = boxes[i].score;
  }
  return values;
}

}  // namespace

const char* steps_error() { return last_error.c_str(); }

void steps_free(void* memory) { std::free(memory); }

int steps_decode(const void* file, size_t bytes, const char* name, int size[2], uint8_t** bgr) {
  return guarded([&] { return give_image(decode({static_cast<const std::byte*>(file), bytes}, name), size, bgr); });
}

int steps_decode_file(const char* path, int size[2], uint8_t** bgr) {
  return guarded([&] { return give_image(decode_file(path), size, bgr); });
}

int steps_resize(const uint8_t* bgr, int width, int height, int out_width, int out_height, uint8_t* out) {
  return guarded([&] {
    const Image resized = resize_bilinear(to_image(bgr, width, height), out_width, out_height);
    std::copy(resized.bgr.begin(), resized.bgr.end(), out);
    return 0;
  });
}

int steps_rotate_90_ccw(const uint8_t* bgr, int width, int height, uint8_t* out) {
  return guarded([&] {
    const Image turned = rotate_90_ccw(to_image(bgr, width, height));
    std::copy(turned.bgr.begin(), turned.bgr.end(), out);
    return 0;
  });
}

int steps_rotate_180(uint8_t* bgr, int width, int height) {
  return guarded([&] {
    Image image = to_image(bgr, width, height);
    rotate_180(image);
    std::copy(image.bgr.begin(), image.bgr.end(), bgr);
    return 0;
  });
}

int steps_find_contours(const uint8_t* mask, int width, int height, size_t limit, int** counts, int** points) {
  return guarded([&] {
    std::vector<int> lengths, values;
    for (const Contour& contour : find_contours(mask, width, height, limit)) {
      lengths.push_back(static_cast<int>(contour.size()));
      const std::vector<int> flat = flattened(contour);
      values.insert(values.end(), flat.begin(), flat.end());
    }
    *counts = to_c_memory(lengths);
    *points = to_c_memory(values);
    return static_cast<int>(lengths.size());
  });
}

int steps_convex_hull(const int* points, int count, int* hull) {
  return guarded([&] {
    const std::vector<PixelPoint> corners = convex_hull(to_points(points, count));
    const std::vector<int> flat = flattened(corners);
    std::copy(flat.begin(), flat.end(), hull);
    return static_cast<int>(corners.size());
  });
}

int steps_mini_box(const int* points, int count, float quad[8], float* short_side) {
  return guarded([&] {
    const MiniBox box = mini_box(to_points(points, count));
    write_quad(box.quad, quad);
    *short_side = box.short_side;
    return 0;
  });
}

int steps_unclip(const float quad[8], float ratio, int** points) {
  return guarded([&] {
    const std::vector<PixelPoint> expanded = unclip(to_quad(quad), ratio);
    *points = to_c_memory(flattened(expanded));
    return static_cast<int>(expanded.size());
  });
}

int steps_box_score(const float* map, int width, int height, const float quad[8], float* score) {
  return guarded([&] {
    *score = box_score(map, width, height, to_quad(quad));
    return 0;
  });
}

int steps_decode_db(const float* map, int width, int height, int picture_width, int picture_height, float** boxes) {
  return guarded([&] {
    const std::vector<TextBox> found = decode_db(map, width, height, picture_width, picture_height, {});
    *boxes = to_c_memory(flattened(found));
    return static_cast<int>(found.size());
  });
}

int steps_order_corners(const float quad[8], float out[8]) {
  return guarded([&] {
    write_quad(order_corners(to_quad(quad)), out);
    return 0;
  });
}

int steps_filter_and_sort(float* boxes, int count, int picture_width, int picture_height) {
  return guarded([&] {
    std::vector<TextBox> list;
    for (int i = 0; i < count; ++i) {
      const float* box = boxes + static_cast<size_t>(i) * kBoxFloats;
      list.push_back({to_quad(box), box[8]});
    }
    filter_boxes(list, picture_width, picture_height);
    sort_boxes(list);
    const std::vector<float> flat = flattened(list);
    std::copy(flat.begin(), flat.end(), boxes);
    return static_cast<int>(list.size());
  });
}

int steps_perspective(const float from[8], const float to[8], double matrix[9]) {
  return guarded([&] {
    const Matrix3 result = perspective_transform(to_quad(from), to_quad(to));
    std::copy(result.begin(), result.end(), matrix);
    return 0;
  });
}

int steps_crop(const uint8_t* bgr, int width, int height, const float quad[8], int size[2], uint8_t** out) {
  return guarded([&] { return give_image(crop_quad(to_image(bgr, width, height), to_quad(quad)), size, out); });
}

int steps_detector_size(int width, int height, int limit_side_len, int size[2]) {
  return guarded([&] {
    const Size result = detector_size(width, height, limit_side_len);
    size[0] = result.width;
    size[1] = result.height;
    return 0;
  });
}

int steps_line_size(int width, int height, int net_height, int size[2]) {
  return guarded([&] {
    const LineSize result = net_height == 0 ? classifier_size(width, height) : recogniser_size(width, height, net_height);
    size[0] = result.net_width;
    size[1] = result.content_width;
    return 0;
  });
}

int steps_fill_input(const uint8_t* bgr, int width, int height, int content_width, int is_detector, int batch, int n, int net_height,
                     int net_width, float* out) {
  return guarded([&] {
    const TensorView view = dense_view(DataType::f32, Shape{batch, 3, net_height, net_width}, out);
    fill_input(to_image(bgr, width, height), content_width, is_detector ? kDetectorNormalisation : kLineNormalisation, view, n);
    return 0;
  });
}

int steps_decode_ctc(const char* dictionary, size_t bytes, const int* classes, const float* probabilities, size_t steps, char** text,
                     float* score) {
  return guarded([&] {
    const Line line = decode_ctc({classes, steps}, {probabilities, steps}, Dictionary::parse({dictionary, bytes}, "dictionary"));
    *text = to_c_memory(std::vector<char>(line.text.begin(), line.text.end()));
    *score = line.score;
    return static_cast<int>(line.text.size());
  });
}

int steps_load_dictionary(const char* path, size_t model_classes, const char* model) {
  return guarded([&] {
    const Dictionary dictionary = Dictionary::load(path);
    if (model_classes != 0) dictionary.check(model_classes, model);
    return static_cast<int>(dictionary.classes());
  });
}
