import { mount } from "svelte";
import App from "./App.svelte";
import "./styles/ground.css";
import "./styles/pathways.css";
import "./styles/panels.css";
import "./styles/timeline.css";
import "./styles/pages.css";
import "./styles/run.css";
import "./styles/live.css";
import "./styles/points.css";
import "./styles/samples.css";
import "./styles/compare.css";
import { beside, within } from "./lib/source";
import { Microscope } from "./lib/microscope.svelte";

const target = document.getElementById("nissl");
if (target !== null) {
  const look = new Microscope(within(document) ?? beside("data/"));
  Object.assign(window, { nissl: { look } }); // for the curious, and for tests
  mount(App, { target, props: { look } });
  void look.open(location.hash);
}
