// The few helpers with which the page builds its elements.

export const byId = (id) => document.getElementById(id);

/** Creates an element; strings among `children` become text, so nothing that a server says is ever parsed as HTML. */
export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

/** Writes text only when it differs: assistive technology reads a live region again on every write. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows `text` in `node`, or hides the node when there is nothing to say. */
export function sayOrHide(node, text) {
  say(node, text ?? '');
  node.hidden = !text;
}
