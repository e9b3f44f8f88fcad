/** The views by name, in the order of address.ts: one component each. */

import type { Component } from "svelte";
import type { View } from "./lib/address";
import type { Microscope } from "./lib/microscope.svelte";
import ConfusionPage from "./parts/ConfusionPage.svelte";
import GraphPage from "./parts/GraphPage.svelte";
import Layers from "./parts/Layers.svelte";
import MapsPage from "./parts/MapsPage.svelte";
import NeuronPage from "./parts/NeuronPage.svelte";
import Pathways from "./parts/Pathways.svelte";
import RunPage from "./parts/RunPage.svelte";
import Projector from "./parts/Projector.svelte";
import Samples from "./parts/Samples.svelte";
import Structures from "./parts/Structures.svelte";

export const views: Record<View, Component<{ look: Microscope }>> = {
  pathways: Pathways,
  layers: Layers,
  neuron: NeuronPage,
  samples: Samples,
  confusion: ConfusionPage,
  maps: MapsPage,
  graph: GraphPage,
  structures: Structures,
  run: RunPage,
  projector: Projector,
};
