"""Training, in the Paddle environment."""

# Before Paddle, whose libraries bring a zlib of their own: loaded after it, OpenCV's PNG reader would take half of that one and crash.
import cv2  # noqa: F401
