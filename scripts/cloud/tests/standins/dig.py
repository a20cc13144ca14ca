"""A dig that knows one domain."""

from .world import Program, expect

dig = Program()


@dig.reads("+short jobs.shop.test")
def records(state, words, flags):
    expect(words, ["A"], ["AAAA"])
    return state["dns"].get(words[0], "")
