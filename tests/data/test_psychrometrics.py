"""The formulas of moist air, against textbook values and the real station's own columns. Takes half a second."""

import numpy as np
import pytest

from autograder.data import psychrometrics
from autograder.data.jena_schema import read_rows


def test_textbook_values():
    """Saturation at 0 and 20 degC, dry air at 1000 mbar and 0 degC, potential temperature at 1000 mbar."""
    np.testing.assert_allclose(psychrometrics.vapour_pressure(np.array([0.0, 20.0])), [6.11, 23.37], rtol=3e-3)
    dry = psychrometrics.air_density(np.array([1000.0]), np.array([0.0]), np.array([0.0]))
    np.testing.assert_allclose(dry, 1275.4, rtol=1e-4)
    np.testing.assert_allclose(psychrometrics.potential_temperature(np.array([1000.0]), np.array([20.0])), 293.15)


@pytest.mark.parametrize(
    ("column", "tolerance"),
    [
        ("VPmax (mbar)", 0.02),
        ("VPact (mbar)", 0.02),
        ("VPdef (mbar)", 0.011),
        ("rh (%)", 0.25),
        ("sh (g/kg)", 0.01),
        ("H2OC (mmol/mol)", 0.012),
        ("rho (g/m**3)", 0.12),
        ("Tpot (K)", 0.03),
    ],
)
def test_real_station_obeys_them_to_within_rounding(real_year, column, tolerance):
    """All 52,696 rows; the tolerances are what rounding of the inputs to 2 decimals (rh: to 1) makes of the result."""
    station = read_rows(real_year).astype(np.float64)
    pressure, temperature = station["p (mbar)"].to_numpy(), station["T (degC)"].to_numpy()
    vapour, saturation = station["VPact (mbar)"].to_numpy(), psychrometrics.vapour_pressure(temperature)
    derived = {
        "VPmax (mbar)": saturation,
        "VPact (mbar)": psychrometrics.vapour_pressure(station["Tdew (degC)"].to_numpy()),
        "VPdef (mbar)": station["VPmax (mbar)"].to_numpy() - vapour,
        "rh (%)": 100 * vapour / saturation,
        "sh (g/kg)": psychrometrics.specific_humidity(pressure, vapour),
        "H2OC (mmol/mol)": psychrometrics.vapour_concentration(pressure, vapour),
        "rho (g/m**3)": psychrometrics.air_density(pressure, temperature, vapour),
        "Tpot (K)": psychrometrics.potential_temperature(pressure, temperature),
    }
    np.testing.assert_allclose(derived[column], station[column].to_numpy(), rtol=0, atol=tolerance)
