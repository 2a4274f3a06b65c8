"""EfficientNet-Lite0 in plain torch, to read the weights that come as a Python package.

Lite0 is EfficientNet-B0 without squeeze-and-excitation, with ReLU6, and with TensorFlow's `SAME`
padding [1, 2]. Attribute names follow the checkpoint's keys.

References
----------
[1] Tan and Le, EfficientNet, ICML 2019.
[2] tensorflow/tpu, models/official/efficientnet/lite (Apache-2.0), the origin of the weights.
"""

from __future__ import annotations

import torch
from torch import nn

_BATCH_NORM_EPSILON = 1e-3
# (repeats, kernel, stride of the first, expansion, output channels), Table 1 of [1].
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class _SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow does: the odd pixel goes to the right and the bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(nn.functional.pad(x, pads))


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> _SameConv2d:
    return _SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_BATCH_NORM_EPSILON)


class _Block(nn.Module):
    """Inverted bottleneck: expand 1x1, depthwise, project 1x1, with a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion != 1:
            self._expand_conv = _conv(inputs, inner, 1)
            self._bn0 = _norm(inner)
        self._depthwise_conv = _conv(inner, inner, kernel, stride, groups=inner)
        self._bn1 = _norm(inner)
        self._project_conv = _conv(inner, outputs, 1)
        self._bn2 = _norm(outputs)
        self.expands = expansion != 1
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        if self.expands:
            y = nn.functional.relu6(self._bn0(self._expand_conv(y)))
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.shortcut else y


class EfficientNetLite0(nn.Module):
    """The network without its classifier: (n, 3, 224, 224) to (n, 320, 7, 7)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _conv(3, 32, 3, 2)
        self._bn0 = _norm(32)
        blocks: list[_Block] = []
        channels = 32
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for index in range(repeats):
                step = stride if index == 0 else 1
                blocks.append(_Block(channels, outputs, kernel, step, expansion))
                channels = outputs
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the last feature map of normalised pictures."""
        x = nn.functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return x
