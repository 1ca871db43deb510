"""The data set: 178 Italian wines of three cultivars, 13 measurements each (UCI, CC BY 4.0).

scikit-learn ships it, so nothing is downloaded.
"""

import pandas as pd
from sklearn.datasets import load_wine

from regisseur_training.core.dataset import TARGET


def read_wine() -> pd.DataFrame:
    """Return the features and, in the last column, the cultivar as 0, 1 or 2."""
    bunch = load_wine(as_frame=True)
    frame: pd.DataFrame = bunch.data.astype("float64")
    return frame.assign(**{TARGET: bunch.target.astype("int64")})
