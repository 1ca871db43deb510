"""Versions of a model that are good, and versions each with one fault, made from model folders."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import skops.io
import yaml

from regisseur_contract.tags import TAG_DIGEST, TAG_IMAGE
from support.faulty_server import FAULT_FILE
from support.model_versions import Registry, create_model_version

MODEL_FILE: Final = "MLmodel"
EXAMPLE_FILE: Final = "input_example.json"
GARBAGE: Final = b"this is no model"
OTHER_DIGEST: Final = f"sha256:{'0' * 64}"
APPROVED: Final = "approved"
_MEGABYTE: Final = 1 << 20


@dataclass(frozen=True)
class Versions:
    """Registers versions of one model.

    Attributes:
        registry: The MLflow server.
        model: The registered model.
        folder: A good model, of which all others are copies.
        scratch: Where the copies go.
        image: The serving image, which good versions name in a tag.
        faulty_image: The one whose server fails as the folder tells it to.
        all_good: The good versions that were registered so far.
    """

    registry: Registry
    model: str
    folder: Path
    scratch: Path
    image: str
    faulty_image: str
    all_good: list[int] = field(default_factory=list)

    def good(self, **tags: str) -> int:
        """Register a version that can be served."""
        self.all_good.append(self._register(self.folder, tags))
        return self.all_good[-1]

    def broken(self) -> int:
        """Register a version whose MLmodel is garbage, with the digest of that."""
        return self.changed({MODEL_FILE: GARBAGE})

    def mistagged(self) -> int:
        """Register a good model under the digest of other files."""
        return self._register(self.folder, {TAG_DIGEST: OTHER_DIGEST})

    def dying(self, **fault: float) -> int:
        """Register a version that passes its rehearsal and whose server fails, see the image."""
        content = json.dumps(fault).encode()
        return self.changed({FAULT_FILE: content}, **{TAG_IMAGE: self.faulty_image})

    def hungry(self, megabytes: int) -> int:
        """Register a version that takes so much memory to load; its file is small all the same."""
        folder = self._copy()
        path = folder / self._model_file
        trusted = skops.io.get_untrusted_types(file=path)
        estimator = skops.io.load(path, trusted=trusted)
        estimator.steps[-1][1].padding_ = np.zeros(megabytes * _MEGABYTE // 8)
        skops.io.dump(estimator, path, compression=8, compresslevel=1)
        return self._register(folder, {})

    def changed(self, files: Mapping[str, bytes], **tags: str) -> int:
        """Register a version some of whose files are others."""
        folder = self._copy()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return self._register(folder, tags)

    @property
    def _model_file(self) -> str:
        described: dict[str, Any] = yaml.safe_load((self.folder / MODEL_FILE).read_text())
        return str(described["flavors"]["sklearn"]["pickled_model"])

    def _copy(self) -> Path:
        places = (self.scratch / f"copy-{number}" for number in count(1))
        place = next(place for place in places if not place.exists())
        shutil.copytree(self.folder, place)
        return place

    def _register(self, folder: Path, tags: Mapping[str, str]) -> int:
        return create_model_version(
            self.registry,
            self.model,
            folder=folder,
            metrics={"test_accuracy": 0.95},
            tags={TAG_IMAGE: self.image, **tags},
            with_digest=True,
        )
