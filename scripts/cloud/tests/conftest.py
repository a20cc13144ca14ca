import copy
import shutil

import pytest
from place import SETTINGS, Site, make_standins, make_template


@pytest.fixture(scope="session")
def standins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standins") / "bin"
    make_standins(folder)
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    make_template(folder)
    return folder


def visit(*arguments, **options):
    site = Site(*arguments, **options)
    yield site
    site.close()
    site.verify()


@pytest.fixture
def site(tmp_path, template, standins):
    """A project in which there is nothing yet."""
    yield from visit(tmp_path / "site", template, standins)


@pytest.fixture(scope="session")
def rendering_template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendering-template")
    make_template(folder, real_render=True)
    return folder


@pytest.fixture
def rendering_site(tmp_path, rendering_template, standins):
    """The same with the real manifests: for whatever varies them."""
    yield from visit(tmp_path / "site", rendering_template, standins)


@pytest.fixture(scope="session")
def first_deployment(tmp_path_factory, template, standins):
    """Made once, for others to copy."""
    folder = tmp_path_factory.mktemp("deployed")
    site = Site(folder, template, standins)
    site.succeed("deploy")
    site.close()
    site.verify()
    return folder, site


@pytest.fixture
def deployed(tmp_path, first_deployment, standins):
    """A project after its first deployment."""
    folder, first = first_deployment
    shutil.copytree(folder / "home", tmp_path / "deployed/home")
    yield from visit(tmp_path / "deployed", folder / "site", standins, state=copy.deepcopy(first.state))


def pytest_generate_tests(metafunc):
    """Tests of a `change` run once for each change that a first deployment makes, which is found by making one."""
    if not {"change", "uninterrupted"} & set(metafunc.fixturenames):
        return
    if not hasattr(metafunc.config, "uninterrupted"):
        metafunc.config.uninterrupted = deploy_once(metafunc.config._tmp_path_factory.mktemp("changes"))
    if "change" in metafunc.fixturenames:
        commands = metafunc.config.uninterrupted.commands(changes=True)
        names = [" ".join(word for word in command.split() if not word.startswith("-"))[:60] for command in commands]
        metafunc.parametrize("change", commands, ids=[f"{number} {name}" for number, name in enumerate(names, 1)])


@pytest.fixture
def uninterrupted(request):
    """What a deployment leaves that was never interrupted."""
    return request.config.uninterrupted.lasting()


def deploy_once(folder):
    (folder / "template").mkdir()
    make_template(folder / "template", workers=["worker-echo"])
    make_standins(folder / "bin")
    site = Site(folder, folder / "template", folder / "bin")
    site.settings(**SETTINGS, KINDS="echo")
    site.succeed("deploy")
    site.close()
    return site


@pytest.fixture(scope="session")
def small_template(tmp_path_factory):
    """One worker only, for what is done many times."""
    folder = tmp_path_factory.mktemp("small-template")
    make_template(folder, workers=["worker-echo"])
    return folder


@pytest.fixture
def small_site(tmp_path, small_template, standins):
    for site in visit(tmp_path / "site", small_template, standins):
        site.settings(**SETTINGS, KINDS="echo")
        yield site
