// A dashboard as Grafana's schema has it, strict where the schema says "any object": what options and custom fields a
// panel has depends on its type, and only the types below may be used.
import type { Dashboard, DataQuery, FieldConfig, Panel, RowPanel, VariableModel } from '@grafana/schema';
import type * as barchart from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as piechart from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as states from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// In JSON a member of an enum is its text.
type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

interface PrometheusQuery extends DataQuery {
  editorMode: 'code';
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  legendFormat: string;
  range: boolean;
}

interface SqlQuery extends DataQuery {
  editorMode: 'code';
  format: 'time_series' | 'table';
  rawQuery: true;
  rawSql: string;
}

interface Fields<Custom> {
  defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<Custom> };
  overrides: Array<{ matcher: { id: string; options?: unknown }; properties: Array<{ id: string; value?: unknown }> }>;
}

type Of<Type extends string, Options, Custom = {}> = Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Type;
  options: Partial<Options>;
  fieldConfig: Fields<Custom>;
  targets: Array<PrometheusQuery | SqlQuery>;
};

type AnyPanel =
  | Of<'barchart', barchart.Options, barchart.FieldConfig>
  | Of<'bargauge', bargauge.Options>
  | Of<'gauge', gauge.Options>
  | Of<'piechart', piechart.Options, piechart.FieldConfig>
  | Of<'stat', stat.Options>
  | Of<'state-timeline', states.Options, states.FieldConfig>
  | Of<'table', table.Options, table.FieldConfig>
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>;

type Row = Omit<RowPanel, 'panels'> & { panels: AnyPanel[] };

// `definition` is what the editor of a query variable shows; the schema leaves it out.
type Variable = VariableModel & { definition?: string };

export type Checked = Json<
  Omit<Dashboard, 'panels' | 'templating'> & { panels: Array<AnyPanel | Row>; templating: { list: Variable[] } }
>;
