DROP TABLE workspace_bundles;
DROP TABLE workspace_branches;
DROP TABLE workspaces;
