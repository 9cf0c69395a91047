# find_package(selenite): target selenite::selenite, the function selenite_plugin(NAME sources...), and
# selenite_EXECUTABLE, which runs Lua scripts and `check`.
include(${CMAKE_CURRENT_LIST_DIR}/seleniteTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/selenite_plugin.cmake)
get_filename_component(selenite_EXECUTABLE ${CMAKE_CURRENT_LIST_DIR}/../../../bin/selenite ABSOLUTE)
