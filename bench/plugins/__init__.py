"""The folder that `plugin_folders` names in the config of a bot that is measured."""
