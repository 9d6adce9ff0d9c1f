"""Secrets that the chart made once stay what they are: Helm asks the cluster."""

import chart
from cluster import installed

KEY = {"litellm-masterkey": {"masterkey": "sk-known-to-clients"}}
DATABASE = {"litellm-dbcredentials": {"username": "litellm", "password": "initdb's", "postgres-password": "root's"}}


def test_the_master_key_is_kept():
    assert chart.secret(installed(KEY), "litellm-masterkey") == KEY["litellm-masterkey"]


def test_the_databases_password_is_kept():
    assert chart.secret(installed(DATABASE), "litellm-dbcredentials") == DATABASE["litellm-dbcredentials"]


def test_a_new_one_is_made_where_there_is_none():
    made = chart.secret(installed({}), "litellm-masterkey")["masterkey"]
    assert made.startswith("sk-") and len(made) == 35
    other = {"litellm-masterkey": {"another": "sk-x"}}
    assert chart.secret(installed(other), "litellm-masterkey")["masterkey"] != made


def test_what_the_values_say_wins():
    assert chart.secret(installed(KEY, {"masterkey": "sk-new"}), "litellm-masterkey") == {"masterkey": "sk-new"}
