import { mount, unmount } from "svelte";
import "./styles/ground.css";
import "./styles/frame.css";
import "./styles/pictures.css";
import "./styles/lists.css";
import App from "./App.svelte";
import { own } from "./lib/host";
import { Microscope } from "./lib/microscope.svelte";
import { framed, kernel, type Model } from "./lib/notebook";
import { beside, within } from "./lib/source";

/** For a notebook, which reads this script once for all its widgets; gives back how to end one. */
function widget(model: Model, el: HTMLElement, style: string): () => void {
  const source = kernel(model);
  const look = new Microscope(source);
  const { host, target } = framed(el, model, style);
  const app = mount(App, { target, props: { look, host } });
  Object.assign(host.root, { look });
  void look.open(host.address);
  return () => {
    look.end();
    source.end();
    void unmount(app);
  };
}

Object.assign(window, { nissl: { widget } });
const target = document.getElementById("nissl");
if (target !== null) {
  const look = new Microscope(within(document) ?? beside("data/"));
  Object.assign(window, { nissl: { look, widget } }); // for the curious, and for tests
  mount(App, { target, props: { look, host: own() } });
  void look.open(location.hash);
}
