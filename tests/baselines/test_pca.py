"""The PCA baseline's threshold, whatever the residual variances are."""

import numpy as np
import pytest

from deeplog_nb.baselines.pca import PrincipalComponents, q_alpha


@pytest.mark.parametrize("variances", [[1.0] + [0.01] * 100, [1.0] + [0.1] * 10, [1.0, 0.5]])
def test_the_q_threshold_is_passed_by_about_alpha_of_normal_errors(variances):
    """Whatever the sign of the formula's exponent: within a factor of five of one in a thousand."""
    draws = np.random.default_rng(0).standard_normal((200_000, len(variances)))
    share = (np.square(draws) @ np.array(variances) > q_alpha(np.array(variances), 0.001)).mean()
    assert 0.0002 < share < 0.005


def test_where_all_sessions_are_alike_any_other_is_an_anomaly(sessions):
    """No variance, no principal direction, and no division by it."""
    model = PrincipalComponents(idf=False).fit(sessions(*[[1, 2]] * 20))
    assert model.judge(sessions([1, 2], [1]))["anomalous"].to_list() == [False, True]
