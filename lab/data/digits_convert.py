#!/usr/bin/env python3
"""Writes digits.txt, the lab's copy of scikit-learn's handwritten digits, with its fixed split.

    pip install scikit-learn
    python3 digits_convert.py > digits.txt

README.md beside this file tells where the data come from and what the split is.
"""

import hashlib

from sklearn.datasets import load_digits

SEED = 1998
TEST_OF_EACH_DIGIT = 36
VALIDATION_OF_EACH_DIGIT = 18


def draw(image: int) -> str:
    """A sort key that shuffles, the same in every version of Python."""
    return hashlib.sha256(f"{SEED}:{image}".encode()).hexdigest()


def main() -> None:
    digits = load_digits()
    part = {}
    for digit in range(10):
        images = sorted((i for i, label in enumerate(digits.target) if label == digit), key=draw)
        for rank, image in enumerate(images):
            if rank < TEST_OF_EACH_DIGIT:
                part[image] = "test"
            elif rank < TEST_OF_EACH_DIGIT + VALIDATION_OF_EACH_DIGIT:
                part[image] = "validation"
            else:
                part[image] = "train"
    for image, (pixels, label) in enumerate(zip(digits.data, digits.target)):
        print(part[image], label, "".join("0123456789abcdefg"[int(pixel)] for pixel in pixels))


if __name__ == "__main__":
    main()
