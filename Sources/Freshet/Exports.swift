@_exported public import Coordination
@_exported public import FreshetModel
@_exported public import RefreshSources
