"""Write the data set as a file and cut it into training and test rows."""

from regisseur_training.adapters.files import RAW_DATA, TEST_DATA, TRAIN_DATA, write_rows
from regisseur_training.adapters.wine import read_wine
from regisseur_training.core.dataset import split_rows
from regisseur_training.params import read_params
from regisseur_training.stages import run_stage


def prepare() -> str:
    """Run the stage and return what it did."""
    params = read_params()
    frame = read_wine()
    train, test = split_rows(frame, test_fraction=params.data.test_fraction, seed=params.seed)
    write_rows(RAW_DATA, frame)
    write_rows(TRAIN_DATA, train)
    write_rows(TEST_DATA, test)
    return f"{len(frame)} rows: {len(train)} to train, {len(test)} to test"


if __name__ == "__main__":
    run_stage(prepare)
