/* Depthwise convolution and its gradients, float32, NCHW; see depthwise.py.

   x [N,C,H,W], w [C,kh,kw], y [N,C,OH,OW]; y at (i,j) meets x at (i*sh - ph + a, j*sw - pw + b) for a < kh, b < kw, zero outside.
   Every loop runs along a row: the tap (a,b) meets x at columns b0, b0 + sw, … for the columns j0 <= j < j1 of y. */

typedef struct {
  int n, c, h, w, oh, ow, kh, kw, sh, sw, ph, pw;
} Shape;

static int min(int a, int b) { return a < b ? a : b; }

/* The columns of y whose tap b lies inside a row of x. */
static void columns(const Shape* s, int b, int* j0, int* j1) {
  int first = s->pw - b; /* j*sw >= pw - b */
  *j0 = first > 0 ? (first + s->sw - 1) / s->sw : 0;
  int last = s->w - 1 + s->pw - b; /* j*sw <= last */
  *j1 = last < 0 ? 0 : min(s->ow, last / s->sw + 1);
  *j0 = min(*j0, *j1);
}

void depthwise_forward(const Shape* s, const float* x, const float* w, float* y) {
  long planes = (long)s->n * s->c;
#pragma omp parallel for
  for (long p = 0; p < planes; ++p) {
    const float* xp = x + p * s->h * s->w;
    const float* wp = w + (p % s->c) * s->kh * s->kw;
    for (int i = 0; i < s->oh; ++i) {
      float* restrict row = y + (p * s->oh + i) * s->ow;
      for (int j = 0; j < s->ow; ++j) row[j] = 0;
      for (int a = 0; a < s->kh; ++a) {
        int r = i * s->sh - s->ph + a;
        if (r < 0 || r >= s->h) continue;
        for (int b = 0; b < s->kw; ++b) {
          int j0, j1;
          columns(s, b, &j0, &j1);
          float tap = wp[a * s->kw + b];
          const float* restrict from = xp + r * s->w - s->pw + b;
          if (s->sw == 1)
            for (int j = j0; j < j1; ++j) row[j] += tap * from[j];
          else
            for (int j = j0; j < j1; ++j) row[j] += tap * from[j * s->sw];
        }
      }
    }
  }
}

/* dx, which must be zero before. */
void depthwise_input_gradient(const Shape* s, const float* dy, const float* w, float* dx) {
  long planes = (long)s->n * s->c;
#pragma omp parallel for
  for (long p = 0; p < planes; ++p) {
    float* xp = dx + p * s->h * s->w;
    const float* wp = w + (p % s->c) * s->kh * s->kw;
    for (int i = 0; i < s->oh; ++i) {
      const float* restrict row = dy + (p * s->oh + i) * s->ow;
      for (int a = 0; a < s->kh; ++a) {
        int r = i * s->sh - s->ph + a;
        if (r < 0 || r >= s->h) continue;
        for (int b = 0; b < s->kw; ++b) {
          int j0, j1;
          columns(s, b, &j0, &j1);
          float tap = wp[a * s->kw + b];
          float* restrict to = xp + r * s->w - s->pw + b;
          if (s->sw == 1)
            for (int j = j0; j < j1; ++j) to[j] += tap * row[j];
          else
            for (int j = j0; j < j1; ++j) to[j * s->sw] += tap * row[j];
        }
      }
    }
  }
}

/* dw, which must be zero before. A channel's sum has one order whatever the number of threads. */
void depthwise_weight_gradient(const Shape* s, const float* x, const float* dy, float* dw) {
#pragma omp parallel for
  for (int c = 0; c < s->c; ++c) {
    float* wp = dw + (long)c * s->kh * s->kw;
    for (int n = 0; n < s->n; ++n) {
      long p = (long)n * s->c + c;
      const float* xp = x + p * s->h * s->w;
      for (int i = 0; i < s->oh; ++i) {
        const float* row = dy + (p * s->oh + i) * s->ow;
        for (int a = 0; a < s->kh; ++a) {
          int r = i * s->sh - s->ph + a;
          if (r < 0 || r >= s->h) continue;
          for (int b = 0; b < s->kw; ++b) {
            int j0, j1;
            columns(s, b, &j0, &j1);
            const float* from = xp + r * s->w - s->pw + b;
            float sum = 0;
            if (s->sw == 1) {
#pragma omp simd reduction(+ : sum)
              for (int j = j0; j < j1; ++j) sum += row[j] * from[j];
            } else {
#pragma omp simd reduction(+ : sum)
              for (int j = j0; j < j1; ++j) sum += row[j] * from[j * s->sw];
            }
            wp[a * s->kw + b] += sum;
          }
        }
      }
    }
  }
}
