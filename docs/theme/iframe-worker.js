// A page that was opened from a folder may start no worker. There, a hidden frame with the same script stands in for it.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      this.inside = frame.contentWindow;
      this.waiting = []; // what is said before the script listens
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside.importScripts = (...addresses) =>
        addresses.reduce((before, address) => before.then(() => this.load(address)), Promise.resolve());
      this.load(script).then(() => {
        const said = this.waiting;
        this.waiting = null;
        said.forEach((data) => this.postMessage(data));
      });
    }

    load(address) {
      const script = this.inside.document.createElement("script");
      script.src = address;
      const loaded = new Promise((done, failed) => Object.assign(script, { onload: done, onerror: failed }));
      this.inside.document.documentElement.append(script);
      return loaded;
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.inside.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {}
  };
}
