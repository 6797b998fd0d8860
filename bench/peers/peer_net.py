"""The net of `rmsprop race fashion` in PyTorch: the same images, layers, kind of beginning, loss and optimizer. Answers
a request with one epoch from a fresh start: seconds of a step, and the validation loss at the end, which is not timed."""

import gzip
import json
import os
import sys
import time
from pathlib import Path

import numpy
import torch

VALIDATION_SHARE = 12  # one in so many of the training images, at the end of the file
BATCH = 100
FOLDER = Path(os.environ.get("RMSPROP_DATASETS") or "/usr/share/datasets") / "fashion-mnist"


def read(name, header):
    with gzip.open(FOLDER / f"{name}.gz") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def make_net():
    net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.Tanh(), torch.nn.Linear(128, 10))
    for layer in (net[0], net[2]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return net


class Data:
    def __init__(self):
        images, labels = read("train-images-idx3-ubyte", 16), read("train-labels-idx1-ubyte", 8)
        self.images = torch.from_numpy(images.reshape(len(labels), -1).astype(numpy.float32)) / 255
        self.labels = torch.from_numpy(labels.astype(numpy.int64))
        self.training = len(labels) - len(labels) // VALIDATION_SHARE


def train(data, request):
    net, loss = make_net(), torch.nn.CrossEntropyLoss()
    foreach = request["mode"] == "foreach"
    optimizer = torch.optim.RMSprop(
        net.parameters(), lr=request["lr"], alpha=request["rho"], eps=request["eps"], foreach=foreach
    )
    order = torch.randperm(data.training)
    start = time.perf_counter()
    for batch in range(request["steps"]):
        rows = order[batch * BATCH : (batch + 1) * BATCH]
        optimizer.zero_grad()
        loss(net(data.images[rows]), data.labels[rows]).backward()
        optimizer.step()
    seconds = (time.perf_counter() - start) / request["steps"]
    with torch.no_grad():
        validation = loss(net(data.images[data.training :]), data.labels[data.training :]).item()
    return {"seconds": seconds, "validation": validation}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    data = None
    for line in sys.stdin:
        request = json.loads(line)
        if data is None:
            data = Data()
            train(data, request | {"steps": 10})  # untimed: threads, caches and memory come about
        print(json.dumps(train(data, request)), flush=True)


main()
