#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <jerror.h>

#include "base/error.h"
#include "ocr/decoders.h"
#include "ocr/exif.h"

namespace edgeocr::ocr {
namespace {

constexpr size_t kExifPrefix = 6;  // "Exif\0\0" before the TIFF header
constexpr int kMaxScans = 200;     // real progressive files have about ten; each costs a pass over the picture

// One file's decoder. libjpeg reports an error by a call that must not return, and exceptions must not cross its C frames: every
// stage runs under a setjmp, and holds nothing with a destructor that the jump would skip.
class JpegDecoder {
 public:
  JpegDecoder(Bytes file, const std::string& name) : file_(file), name_(name) {
    cinfo_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = [](j_common_ptr cinfo) { escape(cinfo); };
    errors_.manager.emit_message = [](j_common_ptr cinfo, int level) {
      if (level < 0 && is_damage(cinfo->err->msg_code)) escape(cinfo);
    };
    progress_.progress_monitor = [](j_common_ptr cinfo) {
      if (reinterpret_cast<j_decompress_ptr>(cinfo)->input_scan_number <= kMaxScans) return;
      reinterpret_cast<Errors*>(cinfo->err)->too_many_scans = true;
      escape(cinfo);
    };
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&cinfo_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Image decode() {
    run(&JpegDecoder::read_header);
    require_bounded_size(cinfo_.image_width, cinfo_.image_height, name_);
    const int turn = orientation();  // the markers are gone once the pixels are read
    const bool is_cmyk = cinfo_.num_components == 4;
    picture_ = Image(static_cast<int>(cinfo_.image_width), static_cast<int>(cinfo_.image_height));
    if (is_cmyk) row_.resize(static_cast<size_t>(picture_.width) * 4);
    cinfo_.out_color_space = is_cmyk ? JCS_CMYK : JCS_EXT_BGR;
    run(&JpegDecoder::read_pixels);
    return apply_orientation(std::move(picture_), turn);
  }

 private:
  struct Errors {
    jpeg_error_mgr manager;  // first: libjpeg hands its address back
    jmp_buf stage;
    bool too_many_scans = false;
  };

  // Warnings after which rows are made up. The others (extra bytes, odd headers) leave the picture whole.
  static bool is_damage(int code) {
    return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE;
  }

  [[noreturn]] static void escape(j_common_ptr cinfo) { std::longjmp(reinterpret_cast<Errors*>(cinfo->err)->stage, 1); }

  bool reaches_end(void (JpegDecoder::*stage)()) {
    if (setjmp(errors_.stage)) return false;
    (this->*stage)();
    return true;
  }

  void run(void (JpegDecoder::*stage)()) {
    if (reaches_end(stage)) return;
    if (errors_.too_many_scans) fail("%s: broken JPEG: more than %d scans", name_.c_str(), kMaxScans);
    char text[JMSG_LENGTH_MAX];
    errors_.manager.format_message(reinterpret_cast<j_common_ptr>(&cinfo_), text);
    fail("%s: broken JPEG: %s", name_.c_str(), text);
  }

  void read_header() {
    jpeg_create_decompress(&cinfo_);
    cinfo_.progress = &progress_;
    jpeg_save_markers(&cinfo_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(&cinfo_, reinterpret_cast<const unsigned char*>(file_.data()), static_cast<unsigned long>(file_.size()));
    jpeg_read_header(&cinfo_, TRUE);
  }

  void read_pixels() {
    jpeg_start_decompress(&cinfo_);
    while (cinfo_.output_scanline < cinfo_.output_height) {
      uint8_t* out = picture_.row(static_cast<int>(cinfo_.output_scanline));
      JSAMPROW to = row_.empty() ? out : row_.data();
      jpeg_read_scanlines(&cinfo_, &to, 1);
      if (!row_.empty()) cmyk_to_bgr(out);
    }
    jpeg_finish_decompress(&cinfo_);
  }

  // OpenCV's conversion; the stored values are inverted, as Adobe writes them.
  void cmyk_to_bgr(uint8_t* out) const {
    for (size_t i = 0; i < row_.size(); i += 4, out += 3) {
      const int black = row_[i + 3];
      for (size_t c = 0; c < 3; ++c) out[2 - c] = static_cast<uint8_t>(black - ((255 - row_[i + c]) * black >> 8));
    }
  }

  int orientation() const {
    for (jpeg_saved_marker_ptr marker = cinfo_.marker_list; marker; marker = marker->next) {
      if (marker->marker != JPEG_APP0 + 1) continue;
      if (marker->data_length <= kExifPrefix) return 1;
      return exif_orientation(std::as_bytes(std::span(marker->data, marker->data_length)).subspan(kExifPrefix));
    }
    return 1;
  }

  Bytes file_;
  const std::string& name_;
  jpeg_decompress_struct cinfo_{};
  jpeg_progress_mgr progress_{};
  Errors errors_{};
  Image picture_;
  std::vector<uint8_t> row_;  // one CMYK row; empty for grey and colour
};

}  // namespace

Image decode_jpeg(Bytes file, const std::string& name) { return JpegDecoder(file, name).decode(); }

}  // namespace edgeocr::ocr
