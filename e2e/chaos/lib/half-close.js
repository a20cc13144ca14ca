// Makes a client's end known to Google's emulator.
//
// The emulator (0.8.20) does not notice that a subscriber has reset its stream, or that its connection is gone: for minutes
// it goes on giving the dead every other message, whatever the client library. Google's service notices at once. What the
// emulator does notice is a stream that was closed by its client. So in front of the emulator resets become closes, and
// what a connection leaves open is closed before it ends.

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const [DATA, HEADERS, RST_STREAM] = [0x0, 0x1, 0x3];
const END_STREAM = 0x1;

/** Follows what one client says, frame by frame of HTTP/2. Other protocols pass untouched. */
export class HalfClose {
  #rest = Buffer.alloc(0);
  #isHttp2 = null;
  /** Streams on which the client may still say something. */
  #open = new Set();

  /** Returns what to pass on. */
  push(chunk) {
    if (this.#isHttp2 === false) return chunk;
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const passed = [];
    if (this.#isHttp2 === null) {
      this.#isHttp2 = this.#rest.subarray(0, 3).toString() === 'PRI';
      if (!this.#isHttp2) return this.#rest;
      passed.push(this.#take(PREFACE_BYTES));
    }
    for (let frame; (frame = this.#frame()); ) passed.push(this.#translate(frame));
    return Buffer.concat(passed);
  }

  /** Returns what is left to say when the client is gone; once. */
  end() {
    const words = Buffer.concat([...this.#open].map(close));
    this.#open.clear();
    return words;
  }

  #frame() {
    if (this.#rest.length < HEADER_BYTES) return null;
    const bytes = HEADER_BYTES + this.#rest.readUIntBE(0, 3);
    return this.#rest.length < bytes ? null : this.#take(bytes);
  }

  #take(bytes) {
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }

  #translate(frame) {
    const [type, flags, id] = [frame[3], frame[4], frame.readUInt32BE(5)];
    if (type === RST_STREAM && this.#open.delete(id)) return close(id);
    if (type === HEADERS) this.#open.add(id);
    if ((type === HEADERS || type === DATA) && flags & END_STREAM) this.#open.delete(id);
    return frame;
  }
}

/** An empty last frame of the client's. */
function close(id) {
  const frame = Buffer.alloc(HEADER_BYTES);
  frame.writeUInt8(DATA, 3);
  frame.writeUInt8(END_STREAM, 4);
  frame.writeUInt32BE(id, 5);
  return frame;
}
