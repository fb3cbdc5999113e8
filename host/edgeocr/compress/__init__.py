"""Making trained nets small, in the Paddle environment: PACT quantisation-aware training and FPGM pruning."""

# Before Paddle, whose libraries bring a zlib of their own: loaded after it, OpenCV's PNG reader would take half of that one and crash.
import cv2  # noqa: F401
