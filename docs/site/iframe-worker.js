/* A page that is opened from disk may start no worker, so its search runs in a hidden frame that behaves like one.
   The theme's search script looks for this name to find its own files. */
class IFrameWorker extends EventTarget {
  constructor(address) {
    super()
    this.frame = document.createElement("iframe")
    this.frame.hidden = true
    this.ready = new Promise(loaded => this.frame.addEventListener("load", loaded, { once: true }))
    window.__frameWorkers = window.__frameWorkers || []
    const place = window.__frameWorkers.push(this) - 1
    this.frame.srcdoc = `<script>
      const outside = parent.__frameWorkers[${place}]
      postMessage = data => outside.dispatchEvent(new parent.MessageEvent("message", { data }))
      importScripts = (...sources) => sources.reduce((before, source) => before.then(() => new Promise((done, failed) => {
        const script = document.createElement("script")
        Object.assign(script, { src: source, onload: done, onerror: failed })
        document.head.append(script)
      })), Promise.resolve())
    <\/script><script src="${new URL(address, document.baseURI)}"><\/script>`
    document.head.append(this.frame)
  }

  postMessage(data) {
    this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })))
  }

  terminate() {
    this.frame.remove()
  }
}

if (location.protocol === "file:") window.Worker = IFrameWorker
window.IFrameWorker = IFrameWorker
