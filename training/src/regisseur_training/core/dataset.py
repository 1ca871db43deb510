"""The shape of the data set, and how it is cut into training and test rows."""

import pandas as pd
from sklearn.model_selection import train_test_split

TARGET = "target"
"""Column with the class; all the others are features."""


def split_rows(
    frame: pd.DataFrame, *, test_fraction: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut the rows into training and test rows with the same shares of every class."""
    train, test = train_test_split(
        frame, test_size=test_fraction, random_state=seed, stratify=frame[TARGET]
    )
    return train.sort_index(), test.sort_index()


def features_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the model sees."""
    return frame.drop(columns=TARGET)


def classes_of(frame: pd.DataFrame) -> "pd.Series[int]":
    """Return the column that the model predicts."""
    return frame[TARGET]
