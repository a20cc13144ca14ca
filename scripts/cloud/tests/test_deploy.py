def test_x(site):
    r = site.run("deploy")
    print(r.output, r.errors)
    assert r.code == 0
