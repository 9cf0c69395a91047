# selenite_plugin(NAME sources...): a plugin from C sources, against the public headers only.
#
# Serves Selenite's own plugins and, through find_package(selenite), those built elsewhere. The file
# is <build>/lib/selenite/NAME.so, target plugin_NAME; installed into the prefix Selenite has, it is
# found like the plugins that came with it.
function(selenite_plugin name)
  add_library(plugin_${name} MODULE ${ARGN})
  target_link_libraries(plugin_${name} PRIVATE selenite::selenite)
  set_target_properties(plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX .so
    C_STANDARD 11 C_STANDARD_REQUIRED ON C_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/selenite
    INSTALL_RPATH "$ORIGIN/..")
  install(TARGETS plugin_${name} DESTINATION lib/selenite)
endfunction()
