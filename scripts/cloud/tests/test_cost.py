"""The estimate is a table that can be added up, reacts to settings, and says where its prices come from and of when."""

import re

import pytest

from place import REPOSITORY


def rows(output):
    return {match[1].strip(): float(match[2]) for line in output.splitlines() if (match := re.match(r"(.{22}) .* (\d+\.\d\d)$", line))}


def total(site, *arguments, **settings):
    return rows(site.succeed("cost", *arguments, **settings).output)["total"]


def test_three_small_spot_machines_cost_what_the_readme_says(site):
    table = rows(site.succeed("just", "cost").output)
    assert table == {"cluster": 0, "machines": 22.02, "disks": 6, "load balancer": 18.25, "traffic": 2.56, "Pub/Sub": 0, "total": 48.83}
    assert round(sum(table.values()) - table["total"], 2) == table["total"]
    assert "about $49" in (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"SPOT": "false"}, 14.67),
        ({"MACHINE_TYPE": "e2-medium"}, 22.02),
        ({"NODES_MIN": "4"}, 9.34),
        ({"ON_DEMAND_NODES": "1"}, 14.23),
        ({"ZONE": ""}, 73.00),
        ({"NAT": "true"}, 6.72),
        ({"DISK_GB": "30"}, 3.00),
        ({"REGION": "europe-north2"}, -12.57),
        ({"REGION": "us-west3"}, -10.41),
    ],
)
def test_every_setting_that_costs_changes_it(site, settings, difference):
    assert round(total(site, **settings) - total(site), 2) == pytest.approx(difference, abs=0.011)


def test_traffic_is_an_argument(site):
    assert round(total(site, "120") - total(site), 2) == 12.8
    assert "`much` is no number of GB" in site.refuse("cost", "much").last_error


def test_a_price_that_is_not_known_is_not_nothing(site):
    result = site.refuse("cost", MACHINE_TYPE="n4-standard-2")
    assert "The total is too low: no price for n4-standard-2 spot in us-central1." in result.output
    assert "prices.csv" in result.last_error


def test_it_says_of_when_its_prices_are_and_which_are_borrowed(site):
    output = site.succeed("cost", REGION="us-east5").output
    assert "Prices as of 2026-07-30 to 2026-11-23" in output and "Spot prices may change every day" in output
    assert "The price of egress is that of us-central1." in output


def test_it_needs_neither_a_project_nor_an_account(site):
    site.settings()
    site.succeed("cost")
    assert site.commands() == []


def test_every_price_has_a_date(site):
    lines = [line for line in (REPOSITORY / "scripts/cloud/prices.csv").read_text().splitlines() if not line.startswith(("#", "what"))]
    for line in lines:
        assert re.fullmatch(r"[\w /-]+,[\w*-]+,\d+\.\d+,(hour|month|GB|GiB|GB-month),2026-\d\d-\d\d", line), line


def test_it_says_what_is_not_in_it(site):
    output = site.succeed("cost").output
    assert "Not in it" in output and "Managed Prometheus" in output and "Artifact Registry" in output and "Nor what" not in output
    settings = {"COMPONENTS": "memorystore,cloud-armor", "REDIS_ADDRESS": "10.0.0.3", "SECURITY_POLICY": "shop"}
    assert "Nor what these components add: memorystore,cloud-armor." in site.succeed("cost", **settings).output
