import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { beside, within } from "./lib/source";
import { Microscope } from "./lib/microscope.svelte";

const target = document.getElementById("nissl");
if (target !== null) {
  const look = new Microscope(within(document) ?? beside("data/"));
  Object.assign(window, { nissl: { look } }); // for the curious, and for tests
  mount(App, { target, props: { look } });
  void look.open(location.hash);
}
