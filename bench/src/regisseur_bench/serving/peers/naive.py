"""The server of a tutorial: FastAPI, a pydantic body, a DataFrame, predict."""

import os
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["BENCH_MODEL"])


class Rows(BaseModel):
    """What is sent."""

    records: list[dict[str, float]]


@app.post("/predict")
def predict(rows: Rows) -> dict[str, Any]:
    """Predict every row."""
    return {"predictions": model.predict(pd.DataFrame(rows.records)).tolist()}
