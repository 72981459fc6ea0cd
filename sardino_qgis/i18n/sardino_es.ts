<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
<context>
    <name>SarDino</name>
    <message>
        <source>Accuracy and areas of a class map</source>
        <translation>Exactitud y superficies de un mapa de clases</translation>
    </message>
    <message>
        <source>accuracy,assessment,validation,confusion matrix,error matrix,overall accuracy,iou,f1,precision,recall,area estimation,confidence interval,olofsson,stratified,land cover,classification,reference</source>
        <translation>exactitud,evaluación,validación,matriz de confusión,matriz de error,exactitud global,iou,f1,precisión,exhaustividad,estimación de superficies,intervalo de confianza,olofsson,estratificado,cobertura del suelo,clasificación,referencia,accuracy</translation>
    </message>
    <message>
        <source>Compares a map of classes with a reference: another raster of classes, or points and polygons with a class each. The report (it opens in the Results Viewer) holds the confusion matrix, overall, user's and producer's accuracy, F1 and IoU by pixels, and areas in hectares.

Where the reference is a sample, the report also holds accuracies and areas with 95 % confidence intervals by the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57: map classes are the strata, and their areas on the whole map are known. It assumes that the sample was drawn at random within each class (or over the whole map); places chosen by convenience overestimate the accuracy. Each point is one sampling unit, and so is each polygon, with the map class of most of its pixels.

A reference raster is compared pixel by pixel. That is not a sample, and neighbouring pixels are not independent, so there are no intervals unless a sample size is given: then that many places are drawn from it at random within the map classes.

Values are matched by value, names by name. Grids and coordinate systems may differ: the reference is resampled to the map's grid by nearest neighbour. Nodata and ignored values are left out and counted.

A map with the four classes of the bundled model can be compared with ESA WorldCover as it is: reference values 20, 40, 60, 70, 90 and 100 count as open land (30), and 95 as tree cover (10). The report lists which values were merged.</source>
        <translation>Compara un mapa de clases con una referencia: otro ráster de clases, o puntos y polígonos con una clase cada uno. El informe (se abre en el Visor de resultados) contiene la matriz de confusión, la exactitud global, las del usuario y del productor, F1 e IoU por píxeles, y las superficies en hectáreas.

Si la referencia es una muestra, el informe contiene además exactitudes y superficies con intervalos de confianza del 95 % según el estimador estratificado de Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57: las clases del mapa son los estratos, y se conocen sus superficies en el mapa completo. Se supone que la muestra se tomó al azar dentro de cada clase (o en todo el mapa); los lugares elegidos por comodidad sobrestiman la exactitud. Cada punto es una unidad de muestreo, y también cada polígono, con la clase del mapa de la mayoría de sus píxeles.

Un ráster de referencia se compara píxel a píxel. Eso no es una muestra, y los píxeles vecinos no son independientes, por lo que no hay intervalos, salvo que se indique un tamaño de muestra: entonces se toma de él al azar ese número de lugares, dentro de las clases del mapa.

Los valores se emparejan por valor; los nombres, por nombre. Las cuadrículas y los sistemas de coordenadas pueden ser distintos: la referencia se remuestrea a la cuadrícula del mapa por el vecino más cercano. Los píxeles sin datos y los valores ignorados se excluyen y se cuentan.

Un mapa con las cuatro clases del modelo incluido se puede comparar con ESA WorldCover sin más ajustes: los valores 20, 40, 60, 70, 90 y 100 de la referencia cuentan como terreno abierto (30), y el 95 como cubierta arbórea (10). El informe indica qué valores se unieron.</translation>
    </message>
    <message>
        <source>Reference to map values</source>
        <translation>Valores de referencia a mapa</translation>
    </message>
    <message>
        <source>If the reference uses other values than the map: pairs of reference value (or name, for vectors) and map value, such as 1=80,2=10 or Forest=10. Values that are not listed stay unchanged; those of ESA WorldCover are merged if the map has the four classes of the bundled model (40=40 keeps 40 apart).</source>
        <translation>Si la referencia usa otros valores que el mapa: pares de valor de la referencia (o nombre, si es vectorial) y valor del mapa, por ejemplo 1=80,2=10 o Bosque=10. Los valores que no figuran se conservan; los de ESA WorldCover se unen si el mapa tiene las cuatro clases del modelo incluido (con 40=40, el 40 queda aparte).</translation>
    </message>
    <message>
        <source>Values to ignore in the map</source>
        <translation>Valores que se ignoran en el mapa</translation>
    </message>
    <message>
        <source>Values to ignore in the reference</source>
        <translation>Valores que se ignoran en la referencia</translation>
    </message>
    <message>
        <source>Sample size (reference raster)</source>
        <translation>Tamaño de la muestra (ráster de referencia)</translation>
    </message>
    <message>
        <source>Places to draw at random from a reference raster, stratified by map class (at least 50 in each where the number allows, the rest by area), for estimates with confidence intervals. 0 draws none.</source>
        <translation>Lugares que se toman al azar de un ráster de referencia, estratificados por clase del mapa (al menos 50 en cada una si el número lo permite, el resto según la superficie), para estimaciones con intervalos de confianza. Con 0 no se toma ninguno.</translation>
    </message>
    <message>
        <source>Reference raster</source>
        <translation>Ráster de referencia</translation>
    </message>
    <message>
        <source>A raster of classes that is taken as correct. Give either this or a reference vector.</source>
        <translation>Un ráster de clases que se considera correcto. Indicar este o una referencia vectorial, no ambos.</translation>
    </message>
    <message>
        <source>Reference points or polygons</source>
        <translation>Puntos o polígonos de referencia</translation>
    </message>
    <message>
        <source>Points or polygons whose class is known. Give either this or a reference raster.</source>
        <translation>Puntos o polígonos cuya clase se conoce. Indicar estos o un ráster de referencia, no ambos.</translation>
    </message>
    <message>
        <source>Field with the class</source>
        <translation>Campo con la clase</translation>
    </message>
    <message>
        <source>Field of the reference vector: class values of the map, or names as in the map's legend.</source>
        <translation>Campo de la referencia vectorial: valores de clase del mapa, o nombres como los de la leyenda del mapa.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Informe</translation>
    </message>
    <message>
        <source>HTML files (*.html)</source>
        <translation>Archivos HTML (*.html)</translation>
    </message>
    <message>
        <source>The report, one page of HTML.</source>
        <translation>El informe, una página HTML.</translation>
    </message>
    <message>
        <source>All figures</source>
        <translation>Todas las cifras</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>Archivos JSON (*.json)</translation>
    </message>
    <message>
        <source>Every figure, for programs.</source>
        <translation>Todas las cifras, para otros programas.</translation>
    </message>
    <message>
        <source>Matrix</source>
        <translation>Matriz</translation>
    </message>
    <message>
        <source>CSV files (*.csv)</source>
        <translation>Archivos CSV (*.csv)</translation>
    </message>
    <message>
        <source>The confusion matrix by pixels.</source>
        <translation>La matriz de confusión por píxeles.</translation>
    </message>
    <message>
        <source>Overall accuracy by pixels, 0 to 1</source>
        <translation>Exactitud global por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean IoU by pixels, 0 to 1</source>
        <translation>IoU media por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean F1 by pixels, 0 to 1</source>
        <translation>F1 media por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Pixels compared</source>
        <translation>Píxeles comparados</translation>
    </message>
    <message>
        <source>Sampling units</source>
        <translation>Unidades de muestreo</translation>
    </message>
    <message>
        <source>Estimated overall accuracy, 0 to 1</source>
        <translation>Exactitud global estimada, de 0 a 1</translation>
    </message>
    <message>
        <source>Standard error of the estimated overall accuracy</source>
        <translation>Error estándar de la exactitud global estimada</translation>
    </message>
    <message>
        <source>Give exactly one reference: a raster, or points or polygons.</source>
        <translation>Indicar exactamente una referencia: un ráster, o puntos o polígonos.</translation>
    </message>
    <message>
        <source>Choose the field of the reference vector that holds the class.</source>
        <translation>Elegir el campo de la referencia vectorial que contiene la clase.</translation>
    </message>
    <message>
        <source>Features in the reference: {}.</source>
        <translation>Objetos espaciales en la referencia: {}.</translation>
    </message>
    <message>
        <source>{name}: write whole numbers separated by commas, such as 0,255.</source>
        <translation>{name}: escribir números enteros separados por comas, por ejemplo 0,255.</translation>
    </message>
    <message>
        <source>Change between two class maps</source>
        <translation>Cambio entre dos mapas de clases</translation>
    </message>
    <message>
        <source>change,change detection,transition,from to,matrix,post-classification,deforestation,loss,gain,area,confidence interval,olofsson,before,after,land cover</source>
        <translation>cambio,detección de cambios,transición,de clase a clase,matriz,posclasificación,deforestación,pérdida,ganancia,superficie,intervalo de confianza,olofsson,antes,después,cobertura del suelo,change detection</translation>
    </message>
    <message>
        <source>Compares two maps of classes of one place and writes a raster of transitions, such as Tree cover → Open land: unchanged classes are pale, changes are clear. The report shows both maps and the change side by side, and the matrix of areas from class to class.

Grids and coordinate systems may differ: the later map is resampled to the earlier one's grid by nearest neighbour. Classes are matched by their names, or by value where a map has none. If one map has the four classes of the bundled model and the other those of ESA WorldCover, the latter are merged.

Errors of both maps look like change: maps that are right in 90 % of their pixels may differ in up to 20 % where nothing changed. With reference samples, places whose class is known at both dates, the report has areas of change with 95 % confidence intervals by the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57, with the mapped transitions as strata. The samples should be drawn at random within each transition, or over the whole map.</source>
        <translation>Compara dos mapas de clases de un mismo lugar y escribe un ráster de transiciones, por ejemplo Tree cover → Open land: las clases sin cambio son pálidas, los cambios tienen colores vivos. El informe muestra los dos mapas y el cambio uno junto a otro, y la matriz de superficies de clase a clase.

Las cuadrículas y los sistemas de coordenadas pueden ser distintos: el mapa posterior se remuestrea a la cuadrícula del anterior por el vecino más cercano. Las clases se emparejan por su nombre, o por su valor si un mapa no tiene nombres. Si un mapa tiene las cuatro clases del modelo incluido y el otro las de ESA WorldCover, estas últimas se unen.

Los errores de ambos mapas parecen cambios: dos mapas correctos en el 90 % de sus píxeles pueden diferir hasta en el 20 % sin que nada haya cambiado. Con muestras de referencia, lugares cuya clase se conoce en ambas fechas, el informe contiene superficies de cambio con intervalos de confianza del 95 % según el estimador estratificado de Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57, con las transiciones del mapa como estratos. Las muestras deben tomarse al azar dentro de cada transición, o en todo el mapa.</translation>
    </message>
    <message>
        <source>Class map before</source>
        <translation>Mapa de clases anterior</translation>
    </message>
    <message>
        <source>Class map after</source>
        <translation>Mapa de clases posterior</translation>
    </message>
    <message>
        <source>A raster of whole numbers, such as the output of Land cover; its first band is used.</source>
        <translation>Un ráster de números enteros, como la salida de Cobertura del suelo; se usa su primera banda.</translation>
    </message>
    <message>
        <source>Classes of the later map</source>
        <translation>Clases del mapa posterior</translation>
    </message>
    <message>
        <source>If the later map has other classes than the earlier one: pairs of its value or name and the value of the earlier map, such as 1=80,Forest=10.</source>
        <translation>Si el mapa posterior tiene otras clases que el anterior: pares de su valor o nombre y el valor del mapa anterior, por ejemplo 1=80,Bosque=10.</translation>
    </message>
    <message>
        <source>Values to ignore in both maps</source>
        <translation>Valores que se ignoran en ambos mapas</translation>
    </message>
    <message>
        <source>Transitions</source>
        <translation>Transiciones</translation>
    </message>
    <message>
        <source>A raster with a number for each transition, named and coloured (GeoTIFF).</source>
        <translation>Un ráster con un número por transición, con nombres y colores (GeoTIFF).</translation>
    </message>
    <message>
        <source>Estimated area of change, unit as above</source>
        <translation>Superficie de cambio estimada, en la unidad anterior</translation>
    </message>
    <message>
        <source>Standard error of the estimated area</source>
        <translation>Error estándar de la superficie estimada</translation>
    </message>
    <message>
        <source>Reference samples</source>
        <translation>Muestras de referencia</translation>
    </message>
    <message>
        <source>Points or polygons whose class is known before and after, for areas with confidence intervals.</source>
        <translation>Puntos o polígonos cuya clase antes y después se conoce, para superficies con intervalos de confianza.</translation>
    </message>
    <message>
        <source>Field with the class before</source>
        <translation>Campo con la clase anterior</translation>
    </message>
    <message>
        <source>Field of the samples: class value or name.</source>
        <translation>Campo de las muestras: valor o nombre de la clase.</translation>
    </message>
    <message>
        <source>Field with the class after</source>
        <translation>Campo con la clase posterior</translation>
    </message>
    <message>
        <source>Field with the transition</source>
        <translation>Campo con la transición</translation>
    </message>
    <message>
        <source>Instead of the two fields: the number or name of the transition, such as Tree cover -&gt; Open land.</source>
        <translation>En lugar de los dos campos: el número o el nombre de la transición, por ejemplo Tree cover -&gt; Open land.</translation>
    </message>
    <message>
        <source>Choose the fields of the samples with the class before and the class after, or one field with the transition.</source>
        <translation>Elegir los campos de las muestras con la clase anterior y la clase posterior, o un solo campo con la transición.</translation>
    </message>
    <message>
        <source>Reference samples: {}.</source>
        <translation>Muestras de referencia: {}.</translation>
    </message>
    <message>
        <source>Estimated from the samples: {area:,.1f} ha changed (95 %: {low:,.1f} to {high:,.1f} ha).</source>
        <translation>Estimado a partir de las muestras: han cambiado {area:,.1f} ha (95 %: de {low:,.1f} a {high:,.1f} ha).</translation>
    </message>
    <message>
        <source>Next samples to label</source>
        <translation>Próximas muestras por etiquetar</translation>
    </message>
    <message>
        <source>samples,training,active learning,uncertainty,margin,own classes,label,points,where to look next</source>
        <translation>muestras,entrenamiento,aprendizaje activo,incertidumbre,margen,clases propias,etiquetar,puntos,dónde mirar después,active learning</translation>
    </message>
    <message>
        <source>Chooses places to label next for your own classes: where the map is least certain, far from each other and from the samples that you have.

Train own classes from a few samples, map with them, and ask for the output 'Margin' (an advanced output of 'Land cover from SAR'). Give that raster and your samples here, fill in the class of the points that come out, add them to your samples, and train again.

These places are chosen, not drawn at random: don't use them to measure the accuracy. For that there is 'Samples to validate a class map'.</source>
        <translation>Elige los próximos lugares por etiquetar para las clases propias: donde el mapa es menos seguro, lejos unos de otros y de las muestras que ya hay.

Entrenar clases propias con unas pocas muestras, hacer un mapa con ellas y pedir la salida «Margen» (una salida avanzada de «Cobertura del suelo a partir de SAR»). Indicar aquí ese ráster y las muestras, rellenar la clase de los puntos obtenidos, añadirlos a las muestras y entrenar de nuevo.

Estos lugares se eligen, no se toman al azar: no sirven para medir la exactitud. Para eso está «Muestras para validar un mapa de clases».</translation>
    </message>
    <message>
        <source>Margin</source>
        <translation>Margen</translation>
    </message>
    <message>
        <source>The output 'Margin' of 'Land cover from SAR'; confidence, entropy, disagreement and surroundings work too. Of other rasters, low values are taken as uncertain.</source>
        <translation>La salida «Margen» de «Cobertura del suelo a partir de SAR»; también sirven la confianza, la entropía, el desacuerdo y el entorno de la misma clase. En otros rásteres, los valores bajos se toman por inciertos.</translation>
    </message>
    <message>
        <source>Samples that there are</source>
        <translation>Muestras que ya existen</translation>
    </message>
    <message>
        <source>Points or polygons that are labelled already, in any CRS: new places are far from them.</source>
        <translation>Puntos o polígonos que ya tienen clase, en cualquier SRC: los lugares nuevos quedan lejos de ellos.</translation>
    </message>
    <message>
        <source>The new points get a field of that name, with the classes of the samples in a list.</source>
        <translation>Los puntos nuevos reciben un campo con ese nombre, con las clases de las muestras en una lista.</translation>
    </message>
    <message>
        <source>Number of points</source>
        <translation>Número de puntos</translation>
    </message>
    <message>
        <source>How many places to choose.</source>
        <translation>Cuántos lugares elegir.</translation>
    </message>
    <message>
        <source>Share of the map that is uncertain</source>
        <translation>Parte del mapa que es incierta</translation>
    </message>
    <message>
        <source>The places lie in that share of the map where it is least certain. With 1, only the distance counts.</source>
        <translation>Los lugares están en la parte del mapa donde este es menos seguro. Con 1 solo cuenta la distancia.</translation>
    </message>
    <message>
        <source>Next samples</source>
        <translation>Próximas muestras</translation>
    </message>
    <message>
        <source>Points to fill in, with a form (GeoPackage, GeoJSON or another format).</source>
        <translation>Puntos por rellenar, con un formulario (GeoPackage, GeoJSON u otro formato).</translation>
    </message>
    <message>
        <source>Choose the field of the samples that holds the class.</source>
        <translation>Elegir el campo de las muestras que contiene la clase.</translation>
    </message>
    <message>
        <source>The layer of samples has no features.</source>
        <translation>La capa de muestras no tiene objetos.</translation>
    </message>
    <message>
        <source>QGIS doesn't write vector files that end in '{}'.</source>
        <translation>QGIS no escribe archivos vectoriales que terminen en «{}».</translation>
    </message>
    <message>
        <source>{path} can't be written: {why}</source>
        <translation>No se puede escribir {path}: {why}</translation>
    </message>
    <message>
        <source>Polygons of a class map</source>
        <translation>Polígonos de un mapa de clases</translation>
    </message>
    <message>
        <source>polygons,polygonize,vectorize,raster to vector,minimum mapping unit,sieve,simplify,generalize,topology,land cover,classification,geopackage,geojson</source>
        <translation>polígonos,poligonizar,vectorizar,ráster a vectorial,unidad mínima cartografiable,tamiz,simplificar,generalizar,topología,cobertura del suelo,clasificación,geopackage,geojson,polygons,polygonize</translation>
    </message>
    <message>
        <source>Turns a map of classes into polygons, with the value and the name of the class, the area in square metres (on the ellipsoid) and, if a raster of confidence is given, its mean. The layer has the names and colours of the map's own legend.

Patches below a minimum area can be joined to a neighbour: the one with which they have the longest common border, smallest patches first, never to pixels without data. An island of data that is too small stays.

Borders can be simplified. Each border is simplified once, for both of its neighbours, so that there are no gaps or overlaps. The area is that of the pixels, which simplifying doesn't change.

Without these two, polygons are those of GDAL's Polygonize (pixels that touch at a corner only are apart). Maps of any size are read in strips.</source>
        <translation>Convierte un mapa de clases en polígonos, con el valor y el nombre de la clase, la superficie en metros cuadrados (sobre el elipsoide) y, si se indica un ráster de confianza, su media. La capa tiene los nombres y colores de la leyenda del propio mapa.

Las manchas menores que una superficie mínima se pueden unir a una vecina: aquella con la que tienen el borde común más largo, primero las más pequeñas, nunca a píxeles sin datos. Una isla de datos demasiado pequeña se conserva.

Los bordes se pueden simplificar. Cada borde se simplifica una sola vez, para sus dos vecinas, de modo que no aparecen ni huecos ni solapes. La superficie es la de los píxeles, que la simplificación no cambia.

Sin estas dos opciones, los polígonos son los de Poligonizar de GDAL (los píxeles que solo se tocan en una esquina quedan separados). Los mapas de cualquier tamaño se leen por franjas.</translation>
    </message>
    <message>
        <source>Confidence of the map</source>
        <translation>Confianza del mapa</translation>
    </message>
    <message>
        <source>The confidence that Land cover wrote with the map: each polygon gets the mean of its pixels.</source>
        <translation>La confianza que Cobertura del suelo escribió con el mapa: cada polígono recibe la media de sus píxeles.</translation>
    </message>
    <message>
        <source>Minimum area (m²)</source>
        <translation>Superficie mínima (m²)</translation>
    </message>
    <message>
        <source>Smaller patches join the neighbour with which they have the longest border. 0 keeps all patches.</source>
        <translation>Las manchas menores se unen a la vecina con la que tienen el borde más largo. Con 0 se conservan todas.</translation>
    </message>
    <message>
        <source>Simplify borders by up to (m)</source>
        <translation>Simplificar los bordes hasta (m)</translation>
    </message>
    <message>
        <source>Borders have fewer points, at most so far from the edges of the pixels; one and a half pixels smooth the stairs away. 0 keeps the edges of the pixels.</source>
        <translation>Los bordes tienen menos puntos, como mucho a esta distancia de los bordes de los píxeles; con un píxel y medio desaparecen los escalones. Con 0 se conservan los bordes de los píxeles.</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polígonos</translation>
    </message>
    <message>
        <source>GeoPackage (.gpkg) or GeoJSON (.geojson).</source>
        <translation>GeoPackage (.gpkg) o GeoJSON (.geojson).</translation>
    </message>
    <message>
        <source>Number of polygons</source>
        <translation>Número de polígonos</translation>
    </message>
    <message>
        <source>Number of patches that were joined to others</source>
        <translation>Número de manchas que se unieron a otras</translation>
    </message>
    <message>
        <source>Polygons are written as a file .gpkg or .geojson, not to '{}'. Choose such a file.</source>
        <translation>Los polígonos se escriben en un archivo .gpkg o .geojson, no en «{}». Elegir un archivo así.</translation>
    </message>
    <message>
        <source>Polygons: {polygons}. Patches joined to others: {joined}.</source>
        <translation>Polígonos: {polygons}. Manchas unidas a otras: {joined}.</translation>
    </message>
    <message>
        <source>{name}: {polygons} polygons, {area}</source>
        <translation>{name}: {polygons} polígonos, {area}</translation>
    </message>
    <message>
        <source>Samples to validate a class map</source>
        <translation>Muestras para validar un mapa de clases</translation>
    </message>
    <message>
        <source>sampling,design,sample,validation,accuracy,stratified,random points,reference,allocation,olofsson,standard error,land cover</source>
        <translation>muestreo,diseño,muestra,validación,exactitud,estratificado,puntos al azar,referencia,asignación,olofsson,error estándar,cobertura del suelo,sampling</translation>
    </message>
    <message>
        <source>Draws points at random within each class of a map: as many as are needed for the standard error that you want of the overall accuracy, by the good practices of Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57. Rare classes get a fixed number of points, the others share the rest by area.

Then label the points, one by one, from better images or in the field: switch the layer to editing, open its attribute table in the form view, and choose the true class in the field 'reference'. Leave it empty where you don't know. Points without a label are white. The class of the map is in the field 'map_class', which form and table hide: people who see it tend to agree with it.

When all points are done, run 'Accuracy and areas of a class map' with the same map, this layer, and the field 'reference'. It gives accuracies and areas with confidence intervals. To draw new points for a new map, run this again: the points belong to the classes of this map.</source>
        <translation>Toma puntos al azar dentro de cada clase de un mapa: tantos como hacen falta para el error estándar deseado de la exactitud global, según las buenas prácticas de Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57. Las clases raras reciben un número fijo de puntos; las demás se reparten el resto según su superficie.

Después, etiquetar los puntos uno por uno, con mejores imágenes o en el campo: poner la capa en edición, abrir su tabla de atributos en la vista de formulario y elegir la clase verdadera en el campo «reference». Dejarlo vacío donde no se sepa. Los puntos sin etiqueta son blancos. La clase del mapa está en el campo «map_class», oculto en el formulario y en la tabla: quien la ve tiende a darle la razón.

Cuando todos los puntos estén listos, ejecutar «Exactitud y superficies de un mapa de clases» con el mismo mapa, esta capa y el campo «reference». Da exactitudes y superficies con intervalos de confianza. Para un mapa nuevo, ejecutar esto de nuevo: los puntos pertenecen a las clases de este mapa.</translation>
    </message>
    <message>
        <source>Standard error of the overall accuracy</source>
        <translation>Error estándar de la exactitud global</translation>
    </message>
    <message>
        <source>Half of the 95 % confidence interval to either side is twice this: with 0.01, an accuracy of 80 % is known to be between 78 % and 82 %. Half the standard error needs four times as many points.</source>
        <translation>El intervalo de confianza del 95 % llega a cada lado al doble de este valor: con 0.01, se sabe que una exactitud del 80 % está entre el 78 % y el 82 %. La mitad del error estándar requiere cuatro veces más puntos.</translation>
    </message>
    <message>
        <source>Accuracy expected of each class</source>
        <translation>Exactitud esperada de cada clase</translation>
    </message>
    <message>
        <source>Share of a mapped class that you expect to be correct (user's accuracy). The closer to 0.5, the more points are needed.</source>
        <translation>Parte de una clase del mapa que espera que sea correcta (exactitud del usuario). Cuanto más cerca de 0.5, más puntos se necesitan.</translation>
    </message>
    <message>
        <source>Points of a rare class</source>
        <translation>Puntos de una clase rara</translation>
    </message>
    <message>
        <source>Each class gets at least this number of points. 50 to 100 are advised.</source>
        <translation>Cada clase recibe al menos este número de puntos. Se aconsejan de 50 a 100.</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Muestras</translation>
    </message>
    <message>
        <source>Accuracy expected of single classes</source>
        <translation>Exactitud esperada de algunas clases</translation>
    </message>
    <message>
        <source>Where classes differ: pairs of class (value or name) and share, such as 80=0.95,Built-up=0.6.</source>
        <translation>Si las clases difieren: pares de clase (valor o nombre) y parte, por ejemplo 80=0.95,Construido=0.6.</translation>
    </message>
    <message>
        <source>Least distance of two points (m)</source>
        <translation>Distancia mínima entre dos puntos (m)</translation>
    </message>
    <message>
        <source>In metres on the ground. If empty, five pixels of the map. 0 lets points lie on neighbouring pixels.</source>
        <translation>En metros sobre el terreno. Si se deja vacío, cinco píxeles del mapa. Con 0, los puntos pueden estar en píxeles vecinos.</translation>
    </message>
    <message>
        <source>Change between two SAR dates</source>
        <translation>Cambio entre dos fechas SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,change,change detection,log-ratio,ratio,significance,wishart,speckle,looks,flood,deforestation,damage,backscatter,before,after</source>
        <translation>sar,sentinel-1,cambio,detección de cambios,cociente logarítmico,cociente,significación,wishart,moteado,looks,inundación,deforestación,daños,retrodispersión,antes,después,change detection</translation>
    </message>
    <message>
        <source>Compares two SAR scenes of one place and marks where backscatter fell or rose by more than speckle explains, even where the land-cover class stayed the same. No model is used.

Power is averaged over a square window, and the ratio of the dates is tested, both polarisations together (likelihood-ratio test of Conradsen et al. 2003, IEEE TGRS 41(1), 4-19, for intensities). The number of looks, and how far neighbouring pixels are correlated, are estimated from the data. Of the pixels where nothing changed, about the share given as significance level is marked.

Take two scenes of the same orbit and pass direction, processed in the same way: another direction of view changes backscatter everywhere. A change of backscatter need not be one of land cover: rain, wind on water, frost, ploughing and growth change it too.</source>
        <translation>Compara dos escenas SAR de un mismo lugar y marca dónde la retrodispersión bajó o subió más de lo que explica el moteado, aunque la clase de cobertura sea la misma. No se usa ningún modelo.

La potencia se promedia en una ventana cuadrada y se contrasta el cociente de las fechas, con las dos polarizaciones a la vez (prueba de razón de verosimilitudes de Conradsen et al. 2003, IEEE TGRS 41(1), 4-19, para intensidades). El número de looks, y hasta dónde están correlacionados los píxeles vecinos, se estiman a partir de los datos. De los píxeles sin cambio se marca aproximadamente la proporción que indica el nivel de significación.

Tome dos escenas de la misma órbita y dirección de pasada, procesadas igual: otra dirección de observación cambia la retrodispersión en todas partes. Un cambio de retrodispersión no tiene por qué serlo de cobertura del suelo: también la cambian la lluvia, el viento sobre el agua, las heladas, la labranza y el crecimiento.</translation>
    </message>
    <message>
        <source>SAR raster before</source>
        <translation>Ráster SAR anterior</translation>
    </message>
    <message>
        <source>SAR raster after</source>
        <translation>Ráster SAR posterior</translation>
    </message>
    <message>
        <source>Backscatter in a raster file, in dB, linear power or amplitude; VV and VH, or one polarisation. Both dates on one grid, or shifted. Calibrate Sentinel-1 products as downloaded first.</source>
        <translation>Retrodispersión en un archivo ráster, en dB, potencia lineal o amplitud; VV y VH, o una sola polarización. Ambas fechas en una misma cuadrícula, o desplazadas. Los productos Sentinel-1 tal como se descargan deben calibrarse antes.</translation>
    </message>
    <message>
        <source>Further rasters of the date before</source>
        <translation>Otros rásteres de la fecha anterior</translation>
    </message>
    <message>
        <source>Further rasters of the date after</source>
        <translation>Otros rásteres de la fecha posterior</translation>
    </message>
    <message>
        <source>If each polarisation is in a separate file: the other file of this date.</source>
        <translation>Si cada polarización está en un archivo aparte: el otro archivo de esta fecha.</translation>
    </message>
    <message>
        <source>Window [pixels]</source>
        <translation>Ventana [píxeles]</translation>
    </message>
    <message>
        <source>Side of the square over which power is averaged; an odd number. Smaller windows find smaller places, larger ones find fainter changes.</source>
        <translation>Lado del cuadrado en el que se promedia la potencia; un número impar. Las ventanas menores encuentran lugares más pequeños; las mayores, cambios más débiles.</translation>
    </message>
    <message>
        <source>Significance level</source>
        <translation>Nivel de significación</translation>
    </message>
    <message>
        <source>Share of the unchanged pixels that may be marked by chance. With 0.001 fewer faint changes are found.</source>
        <translation>Proporción de los píxeles sin cambio que pueden marcarse por azar. Con 0.001 se encuentran menos cambios débiles.</translation>
    </message>
    <message>
        <source>Looks of a pixel</source>
        <translation>Looks de un píxel</translation>
    </message>
    <message>
        <source>Equivalent number of looks of a pixel, about 4.4 for IW GRDH. If empty, it is estimated.</source>
        <translation>Número equivalente de looks de un píxel, unos 4.4 en IW GRDH. Si está vacío, se estima.</translation>
    </message>
    <message>
        <source>Bands</source>
        <translation>Bandas</translation>
    </message>
    <message>
        <source>Bands to compare, VV before VH, the same in both rasters. If empty, they are found by their names.</source>
        <translation>Bandas que se comparan, VV antes que VH, las mismas en ambos rásteres. Si está vacío, se buscan por sus nombres.</translation>
    </message>
    <message>
        <source>Accept implausible values</source>
        <translation>Aceptar valores inverosímiles</translation>
    </message>
    <message>
        <source>Values that can't be backscatter are refused. Check this box to compare them anyway.</source>
        <translation>Los valores que no pueden ser retrodispersión se rechazan. Marque esta casilla para compararlos de todos modos.</translation>
    </message>
    <message>
        <source>Significant change</source>
        <translation>Cambio significativo</translation>
    </message>
    <message>
        <source>Where backscatter fell, rose, or did so differently in the two polarisations (GeoTIFF).</source>
        <translation>Dónde bajó o subió la retrodispersión, o lo hizo de distinto modo en las dos polarizaciones (GeoTIFF).</translation>
    </message>
    <message>
        <source>Change in dB</source>
        <translation>Cambio en dB</translation>
    </message>
    <message>
        <source>Later minus earlier backscatter, averaged over the window, a band for each polarisation.</source>
        <translation>Retrodispersión posterior menos anterior, promediada en la ventana, una banda por polarización.</translation>
    </message>
    <message>
        <source>p value of no change</source>
        <translation>Valor p de ausencia de cambio</translation>
    </message>
    <message>
        <source>Probability of such a ratio without change; small where a change is certain.</source>
        <translation>Probabilidad de un cociente así sin cambio; pequeña donde el cambio es seguro.</translation>
    </message>
    <message>
        <source>Report of the change</source>
        <translation>Informe del cambio</translation>
    </message>
    <message>
        <source>One page of HTML: both dates and the change side by side, areas, and notes.</source>
        <translation>Una página HTML: las dos fechas y el cambio uno junto a otro, superficies y notas.</translation>
    </message>
    <message>
        <source>Areas of change</source>
        <translation>Superficies de cambio</translation>
    </message>
    <message>
        <source>The table of areas, for a spreadsheet.</source>
        <translation>La tabla de superficies, para una hoja de cálculo.</translation>
    </message>
    <message>
        <source>Changed area in m² (in pixels without a coordinate system)</source>
        <translation>Superficie cambiada en m² (en píxeles si no hay sistema de coordenadas)</translation>
    </message>
    <message>
        <source>Changed share of what both dates show, 0 to 1</source>
        <translation>Proporción cambiada de lo que muestran ambas fechas, de 0 a 1</translation>
    </message>
    <message>
        <source>Both dates are the same file, {}. Choose two dates.</source>
        <translation>Las dos fechas son el mismo archivo, {}. Elegir dos fechas.</translation>
    </message>
    <message>
        <source>Changed: {area:,.1f} ha, {share:.2f} %.</source>
        <translation>Cambio: {area:,.1f} ha, {share:.2f} %.</translation>
    </message>
    <message>
        <source>Changed: {area:,.0f} pixels, {share:.2f} %.</source>
        <translation>Cambio: {area:,.0f} píxeles, {share:.2f} %.</translation>
    </message>
    <message>
        <source>Areas of classes in polygons</source>
        <translation>Superficies de las clases en polígonos</translation>
    </message>
    <message>
        <source>zonal statistics,zonal histogram,zones,area,share,percentage,hectares,land cover,parcels,districts,confidence interval,error-adjusted area,olofsson</source>
        <translation>estadística zonal,histograma zonal,zonas,superficie,proporción,porcentaje,hectáreas,cobertura del suelo,parcelas,municipios,intervalo de confianza,superficie corregida,olofsson,zonal statistics</translation>
    </message>
    <message>
        <source>Measures the area and the share of each class of a map in your polygons, such as districts or parcels, and adds them as fields. A pixel counts where its centre lies in the polygon; areas are measured on the ellipsoid, and shares are parts of the area that has a class. Polygons may overlap.

With an accuracy report of the map, each area also gets an estimate that is corrected by the errors of the map, with a 95 % confidence interval: the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57, with the areas in the polygon as those of the strata. It assumes that the map is wrong as often, and in the same way, in every polygon as on the whole map. Where it isn't, intervals are too narrow, most of all in small polygons.</source>
        <translation>Mide la superficie y la proporción de cada clase de un mapa en polígonos propios, por ejemplo municipios o parcelas, y las añade como campos. Un píxel cuenta si su centro está en el polígono; las superficies se miden sobre el elipsoide, y las proporciones son partes de la superficie que tiene una clase. Los polígonos se pueden solapar.

Con un informe de exactitud del mapa, cada superficie recibe además una estimación corregida según los errores del mapa, con un intervalo de confianza del 95 %: el estimador estratificado de Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57, con las superficies en el polígono como las de los estratos. Se supone que el mapa se equivoca con la misma frecuencia, y de la misma manera, en cada polígono que en el mapa completo. Donde no es así, los intervalos son demasiado estrechos, sobre todo en polígonos pequeños.</translation>
    </message>
    <message>
        <source>Zones</source>
        <translation>Zonas</translation>
    </message>
    <message>
        <source>Polygons in any CRS. Only the selected ones are measured if that is chosen.</source>
        <translation>Polígonos en cualquier SRC. Solo se miden los seleccionados si así se elige.</translation>
    </message>
    <message>
        <source>Accuracy report of the map</source>
        <translation>Informe de exactitud del mapa</translation>
    </message>
    <message>
        <source>The file 'All figures' of 'Accuracy and areas of a class map', made with a sample as reference.</source>
        <translation>El archivo «Todas las cifras» de «Exactitud y superficies de un mapa de clases», hecho con una muestra como referencia.</translation>
    </message>
    <message>
        <source>Zones with areas</source>
        <translation>Zonas con superficies</translation>
    </message>
    <message>
        <source>The polygons with the fields added; a CSV file has the fields only.</source>
        <translation>Los polígonos con los campos añadidos; un archivo CSV tiene solo los campos.</translation>
    </message>
    <message>
        <source>There are no polygons to measure.</source>
        <translation>No hay polígonos que medir.</translation>
    </message>
    <message>
        <source>Attention maps from SAR</source>
        <translation>Mapas de atención a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,attention,explain,vision transformer,vit,dino,self-supervised</source>
        <translation>sar,sentinel-1,radar,atención,explicar,transformador de visión,vit,dino,autosupervisado,attention</translation>
    </message>
    <message>
        <source>Shows where the vision transformer looks: the attention of its class token over the scene, as one layer (mean of the heads, or of their logarithms) or one band per head. Heads of a model trained by self-distillation (DINO) often pick out water, built-up areas or edges without ever having seen a label.

1 means as much attention as if it were spread evenly over the tile, 2 twice as much; logarithms are below 0 in most places. The layer lies half transparent over the scene: bright places get much attention. Attention shows what the model weighs, not why; it is not a land-cover map.</source>
        <translation>Muestra dónde mira el transformador de visión: la atención de su token de clase sobre la escena, como una sola capa (media de las cabezas o de sus logaritmos) o con una banda por cabeza. Las cabezas de un modelo entrenado por autodestilación (DINO) suelen destacar agua, zonas construidas o bordes sin haber visto nunca una etiqueta.

1 significa tanta atención como si se repartiera por igual en la tesela; 2, el doble; los logaritmos están por debajo de 0 en la mayoría de los lugares. La capa se ve semitransparente sobre la escena: los lugares claros reciben mucha atención. La atención muestra qué pondera el modelo, no por qué; no es un mapa de cobertura del suelo.</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Cabezas</translation>
    </message>
    <message>
        <source>mean: one band, the mean of all attention heads. all: one band per head, and their mean as the last. log: one band, the mean of the logarithms (base 2) of all heads, which shows areas where the mean shows spots.</source>
        <translation>mean: una banda, la media de todas las cabezas de atención. all: una banda por cabeza, y su media como última. log: una banda, la media de los logaritmos (en base 2) de todas las cabezas, que muestra áreas donde la media muestra puntos.</translation>
    </message>
    <message>
        <source>The block whose attention is shown, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuya atención se muestra, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Attention mass of the masks</source>
        <translation>Masa de atención de las máscaras</translation>
    </message>
    <message>
        <source>Masks hold the places that together receive this share of the attention. Used for the masks only.</source>
        <translation>Las máscaras contienen los lugares que en conjunto reciben esta parte de la atención. Solo se usa para las máscaras.</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Atención</translation>
    </message>
    <message>
        <source>Attention relative to an even spread (GeoTIFF).</source>
        <translation>Atención respecto a un reparto uniforme (GeoTIFF).</translation>
    </message>
    <message>
        <source>Attention masks</source>
        <translation>Máscaras de atención</translation>
    </message>
    <message>
        <source>1 where the attention mass lies, 0 elsewhere; always one band per head.</source>
        <translation>1 donde está la masa de atención, 0 en el resto; siempre una banda por cabeza.</translation>
    </message>
    <message>
        <source>Calibrate Sentinel-1 GRD</source>
        <translation>Calibrar Sentinel-1 GRD</translation>
    </message>
    <message>
        <source>sar,sentinel-1,grd,safe,radar,calibration,sigma0,gamma0,backscatter,thermal noise,border noise,geocode,terrain correction,terrain flattening,rtc,layover,shadow,incidence angle,orbit,dem</source>
        <translation>sar,sentinel-1,grd,safe,radar,calibración,sigma0,gamma0,retrodispersión,ruido térmico,ruido de borde,geocodificación,corrección del terreno,aplanamiento del terreno,rtc,inversión por relieve,sombra,ángulo de incidencia,órbita,mde,dem</translation>
    </message>
    <message>
        <source>Makes a map of backscatter from a Sentinel-1 GRD product as downloaded: calibrated to gamma0 or sigma0 with the product's own tables, thermal noise removed, noise at the borders masked (in products before 2018), and placed on a grid in UTM by its ground control points. There is a band for each polarisation, named VV, VH (or HH, HV), so that Land cover finds them.

In mountains and hills, places are displaced towards the radar by about their height above the surroundings, or more. An elevation model that covers the scene corrects this (terrain correction by the range-Doppler equations). Slopes that face the radar are too bright all the same: terrain flattening corrects that too, and local incidence angles, layover and shadow can be written as layers.

Land cover, Attention maps and the others accept manifest.safe too, and calibrate it themselves; calibrating it once saves time if you make several maps. A whole IW product takes minutes, and about 8 GB of disk space, half of it temporarily.</source>
        <translation>Crea un mapa de retrodispersión a partir de un producto GRD de Sentinel-1 tal como se descarga: calibrado a gamma0 o sigma0 con las tablas del propio producto, sin el ruido térmico, con el ruido de los bordes enmascarado (en productos anteriores a 2018) y situado en una cuadrícula UTM mediante sus puntos de control. Tiene una banda por polarización, llamada VV, VH (o HH, HV), para que «Cobertura del suelo» las encuentre.

En montañas y colinas los lugares aparecen desplazados hacia el radar, aproximadamente tanto como se elevan sobre su entorno, o más. Un modelo de elevaciones que cubra la escena lo corrige (corrección del terreno con las ecuaciones de distancia y Doppler). Aun así, las laderas orientadas hacia el radar son demasiado brillantes: el aplanamiento del terreno corrige también eso, y se pueden escribir como capas los ángulos de incidencia locales, la inversión por relieve y la sombra.

«Cobertura del suelo», «Mapas de atención» y los demás también admiten manifest.safe y lo calibran por sí mismos; calibrarlo una sola vez ahorra tiempo si se hacen varios mapas. Un producto IW completo tarda minutos y ocupa unos 8 GB en el disco, la mitad de forma temporal.</translation>
    </message>
    <message>
        <source>Sentinel-1 products (manifest.safe *.zip *.SAFE *.safe)</source>
        <translation>Productos de Sentinel-1 (manifest.safe *.zip *.SAFE *.safe)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Todos los archivos (*)</translation>
    </message>
    <message>
        <source>Sentinel-1 GRD product</source>
        <translation>Producto GRD de Sentinel-1</translation>
    </message>
    <message>
        <source>The product as downloaded: its zip, or manifest.safe in its unpacked folder, or that folder.</source>
        <translation>El producto tal como se descarga: su zip, o el manifest.safe de su carpeta descomprimida, o esa carpeta.</translation>
    </message>
    <message>
        <source>Backscatter</source>
        <translation>Retrodispersión</translation>
    </message>
    <message>
        <source>gamma0: per area perpendicular to the radar beam, which depends less on the incidence angle (the bundled model expects it). sigma0: per area of ground.</source>
        <translation>gamma0: por área perpendicular al haz del radar, que depende menos del ángulo de incidencia (el modelo incluido la espera). sigma0: por área del suelo.</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Unidades</translation>
    </message>
    <message>
        <source>linear_power, which may be averaged and resampled; or db (decibels), the usual form for display.</source>
        <translation>linear_power, que se puede promediar y remuestrear; o db (decibelios), la forma habitual de mostrarla.</translation>
    </message>
    <message>
        <source>Pixel size [m]</source>
        <translation>Tamaño de píxel [m]</translation>
    </message>
    <message>
        <source>Pixel size of the result in metres; that of the product if empty (10 m for IW GRDH).</source>
        <translation>Tamaño de píxel del resultado, en metros; el del producto si se deja vacío (10 m en IW GRDH).</translation>
    </message>
    <message>
        <source>Extent</source>
        <translation>Extensión</translation>
    </message>
    <message>
        <source>Only this part is calibrated; the whole product if empty. Any CRS.</source>
        <translation>Solo se calibra esta parte; el producto entero si se deja vacío. En cualquier SRC.</translation>
    </message>
    <message>
        <source>Backscatter map</source>
        <translation>Mapa de retrodispersión</translation>
    </message>
    <message>
        <source>Backscatter, a band for each polarisation (GeoTIFF).</source>
        <translation>Retrodispersión, una banda por polarización (GeoTIFF).</translation>
    </message>
    <message>
        <source>Local incidence angle</source>
        <translation>Ángulo de incidencia local</translation>
    </message>
    <message>
        <source>Angle between the radar's line of sight and the slope's normal, in degrees, by the heights.</source>
        <translation>Ángulo entre la línea de visión del radar y la normal de la ladera, en grados, según las alturas.</translation>
    </message>
    <message>
        <source>Layover and shadow</source>
        <translation>Inversión por relieve y sombra</translation>
    </message>
    <message>
        <source>1: layover, 2: shadow, 3: both, 0: neither, by the elevation model.</source>
        <translation>1: inversión por relieve, 2: sombra, 3: ambas, 0: ninguna, según el modelo de elevaciones.</translation>
    </message>
    <message>
        <source>There is no file or folder {}.</source>
        <translation>No existe el archivo ni la carpeta {}.</translation>
    </message>
    <message>
        <source>Bands: {}.</source>
        <translation>Bandas: {}.</translation>
    </message>
    <message>
        <source>Composite of several dates</source>
        <translation>Compuesto de varias fechas</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,time series,multitemporal,composite,mean,median,season,month,speckle filter,quegan,dates</source>
        <translation>sar,sentinel-1,radar,serie temporal,multitemporal,compuesto,media,mediana,estación,mes,filtro de moteado,speckle,quegan,fechas,composite</translation>
    </message>
    <message>
        <source>Makes one raster of several Sentinel-1 dates of one place: for each pixel the mean, median, minimum or maximum over the dates, how much it varies, and how many dates have data; of all dates, of each season or of each month. Statistics are computed in linear power, as they must be; the deviation is in dB.

The rasters may have different units, extents and grids: each is read in its own unit, and resampled to the grid of the first. Dates are found in tags or in names, such as S1_20210401.tif. One raster may hold several dates, if its bands are named by them; polarisations in separate files are put together by their names.

Land cover accepts a composite of means as it is. To map land cover from several dates, however, give them to 'Land cover from SAR' as further dates: each is mapped by itself, which is more accurate.

Instead of statistics, the dates themselves can be written with less speckle (Quegan and Yu 2001).</source>
        <translation>Hace un ráster a partir de varias fechas de Sentinel-1 del mismo lugar: para cada píxel, la media, la mediana, el mínimo o el máximo de las fechas, cuánto varía y cuántas fechas tienen datos; de todas las fechas, de cada estación del año o de cada mes. Los estadísticos se calculan en potencia lineal, como debe ser; la desviación está en dB.

Los rásteres pueden tener distintas unidades, extensiones y cuadrículas: cada uno se lee en su unidad y se remuestrea a la cuadrícula del primero. Las fechas se buscan en los metadatos o en los nombres, por ejemplo S1_20210401.tif. Un ráster puede contener varias fechas, si sus bandas llevan la fecha en el nombre; las polarizaciones en archivos separados se unen por sus nombres.

Cobertura del suelo acepta un compuesto de medias tal cual. Pero para cartografiar a partir de varias fechas, conviene indicarlas en «Cobertura del suelo a partir de SAR» como más fechas: cada una se clasifica por separado, lo que es más exacto.

En lugar de estadísticos, se pueden escribir las propias fechas con menos moteado (Quegan y Yu 2001).</translation>
    </message>
    <message>
        <source>Rasters of several dates</source>
        <translation>Rásteres de varias fechas</translation>
    </message>
    <message>
        <source>Sentinel-1 backscatter with the same polarisations, in dB, linear power or amplitude. The first one sets the grid. manifest.safe of a GRD product works too.</source>
        <translation>Retrodispersión de Sentinel-1 con las mismas polarizaciones, en dB, potencia lineal o amplitud. El primero fija la cuadrícula. También sirve el manifest.safe de un producto GRD.</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Estadísticos</translation>
    </message>
    <message>
        <source>Bands of the result, for each polarisation: mean, median, min and max of the dates, std (standard deviation over time in dB); and count, the number of dates with data.</source>
        <translation>Bandas del resultado, por cada polarización: media (mean), mediana (median), mínimo (min) y máximo (max) de las fechas, std (desviación típica en el tiempo, en dB); y count, el número de fechas con datos.</translation>
    </message>
    <message>
        <source>Period</source>
        <translation>Periodo</translation>
    </message>
    <message>
        <source>all: one composite of all dates. season, month: one of each season or month that has dates.</source>
        <translation>all: un compuesto de todas las fechas. season, month: uno de cada estación del año o mes que tenga fechas.</translation>
    </message>
    <message>
        <source>Composite</source>
        <translation>Compuesto</translation>
    </message>
    <message>
        <source>A band for each polarisation, statistic and period, such as VV_mean (GeoTIFF).</source>
        <translation>Una banda por cada polarización, estadístico y periodo, por ejemplo VV_mean (GeoTIFF).</translation>
    </message>
    <message>
        <source>Filter speckle, and keep the dates</source>
        <translation>Filtrar el moteado y conservar las fechas</translation>
    </message>
    <message>
        <source>Write the dates themselves with less speckle, a band for each date and polarisation, instead of statistics. The log gives the equivalent number of looks before and after.</source>
        <translation>Escribe las propias fechas con menos moteado, una banda por cada fecha y polarización, en lugar de estadísticos. El registro indica el número equivalente de looks antes y después.</translation>
    </message>
    <message>
        <source>Only this part is written; if empty, all that any of the rasters covers. Any CRS.</source>
        <translation>Solo se escribe esta parte; si está vacío, todo lo que cubre alguno de los rásteres. Cualquier SRC.</translation>
    </message>
    <message>
        <source>Units of all rasters. auto decides for each raster from its values, and reports it in the log.</source>
        <translation>Unidades de todos los rásteres. auto lo decide en cada ráster por sus valores, y lo indica en el registro.</translation>
    </message>
    <message>
        <source>Units of the result</source>
        <translation>Unidades del resultado</translation>
    </message>
    <message>
        <source>db (decibels), the usual form for display; or linear_power.</source>
        <translation>db (decibelios), la forma habitual para visualizar; o linear_power (potencia lineal).</translation>
    </message>
    <message>
        <source>Values that can't be backscatter are refused. Check this box to use them anyway; the log says so.</source>
        <translation>Los valores que no pueden ser retrodispersión se rechazan. Marque esta casilla para usarlos de todos modos; el registro lo indica.</translation>
    </message>
    <message>
        <source>The filter writes the dates themselves: set the period to all.</source>
        <translation>El filtro escribe las propias fechas: poner el periodo en all.</translation>
    </message>
    <message>
        <source>No raster was given, or one can't be opened.</source>
        <translation>No se indicó ningún ráster, o alguno no se puede abrir.</translation>
    </message>
    <message>
        <source>The backend reported success, but {} does not exist.</source>
        <translation>El motor comunicó que terminó bien, pero {} no existe.</translation>
    </message>
    <message>
        <source>Embeddings from SAR</source>
        <translation>Incrustaciones (embeddings) a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,embeddings,features,pca,vision transformer,vit,dino,self-supervised</source>
        <translation>sar,sentinel-1,radar,incrustaciones,embeddings,características,acp,pca,transformador de visión,vit,dino,autosupervisado</translation>
    </message>
    <message>
        <source>Writes the features that the vision transformer computes for every place, one band each (192 for the bundled model), as input for your own classifier or clustering.

There is one set of features for each patch of the model, for the bundled model 8 x 8 pixels of 10 m. So the result has pixels of 80 m, with the CRS and the upper left corner of the input. On the input's own grid the file is 64 times as large and holds no more information: values between patches are interpolated.

The picture shows the first three principal components of this scene's features as red, green and blue. Places of one colour are similar to the model; colours of different scenes can't be compared.</source>
        <translation>Escribe las características que el transformador de visión calcula para cada lugar, una por banda (192 para el modelo incluido), como entrada para un clasificador o un agrupamiento propios.

Hay un conjunto de características por cada parche del modelo, que en el modelo incluido son 8 x 8 píxeles de 10 m. Por eso el resultado tiene píxeles de 80 m, con el SRC y la esquina superior izquierda de la entrada. En la cuadrícula de la entrada el archivo es 64 veces mayor y no contiene más información: los valores entre los parches son interpolados.

La imagen muestra en rojo, verde y azul las tres primeras componentes principales de las características de esta escena. Los lugares de un mismo color son parecidos para el modelo; los colores de escenas distintas no se pueden comparar.</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>Cuadrícula</translation>
    </message>
    <message>
        <source>patch: one pixel for each patch of the model (80 m for the bundled model), aligned with the input. input: the pixels of the input, interpolated; large, for tools that need equal grids.</source>
        <translation>patch: un píxel por cada parche del modelo (80 m para el modelo incluido), alineado con la entrada. input: los píxeles de la entrada, interpolados; ocupa mucho, para herramientas que necesitan cuadrículas iguales.</translation>
    </message>
    <message>
        <source>The block whose features are written, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuyas características se escriben, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Incrustaciones</translation>
    </message>
    <message>
        <source>Features of each place, one band each (GeoTIFF).</source>
        <translation>Características de cada lugar, una por banda (GeoTIFF).</translation>
    </message>
    <message>
        <source>Principal components</source>
        <translation>Componentes principales</translation>
    </message>
    <message>
        <source>The first three principal components of the scene's features as red, green and blue.</source>
        <translation>Las tres primeras componentes principales de las características de la escena, en rojo, verde y azul.</translation>
    </message>
    <message>
        <source>Terrain flattening</source>
        <translation>Aplanamiento del terreno</translation>
    </message>
    <message>
        <source>sar,sentinel-1,grd,safe,radar,slope,terrain flattening,radiometric terrain correction,rtc,gamma0,layover,shadow,incidence angle,dem</source>
        <translation>sar,sentinel-1,grd,safe,radar,pendiente,aplanamiento del terreno,corrección radiométrica del terreno,rtc,gamma0,inversión por relieve,sombra,ángulo de incidencia,mde,dem</translation>
    </message>
    <message>
        <source>Makes a map of backscatter from a Sentinel-1 GRD product as downloaded, in which slopes that face the radar are no longer brighter than others: backscatter is related to the area of the ground that the radar sees there, by an elevation model (terrain-flattened gamma0; Small 2011). Positions are corrected for the terrain too.

Layers of the local incidence angle, and of layover and shadow, can be written too. In layover several slopes share one echo, and in shadow there is none: no correction brings back what isn't in the image.

It is the same as 'Calibrate Sentinel-1 GRD' with 'Terrain flattening' checked. Land cover, Attention maps and the others have that option too, for products that they are given.</source>
        <translation>Crea un mapa de retrodispersión a partir de un producto GRD de Sentinel-1 tal como se descarga, en el que las laderas orientadas al radar ya no son más brillantes que las demás: la retrodispersión se refiere a la superficie del terreno que el radar ve allí, según un modelo de elevaciones (gamma0 con aplanamiento del terreno; Small 2011). También se corrigen las posiciones según el terreno.

También se pueden escribir capas del ángulo de incidencia local, y de la inversión por relieve y la sombra. En la inversión por relieve varias laderas comparten un eco, y en la sombra no hay ninguno: ninguna corrección devuelve lo que no está en la imagen.

Es lo mismo que «Calibrar Sentinel-1 GRD» con la opción «Aplanamiento del terreno» marcada. Cobertura del suelo, Mapas de atención y los demás también tienen esa opción para los productos que se les dan.</translation>
    </message>
    <message>
        <source>Land cover from SAR</source>
        <translation>Cobertura del suelo a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,backscatter,land cover,classification,segmentation,worldcover,dino,deep learning</source>
        <translation>sar,sentinel-1,radar,retrodispersión,cobertura del suelo,ocupación del suelo,clasificación,segmentación,worldcover,dino,aprendizaje profundo,land cover</translation>
    </message>
    <message>
        <source>Makes a land-cover map from Sentinel-1 backscatter (VV and VH) with a vision transformer that was pre-trained by self-distillation (DINO).

The map has the grid and the CRS of the input, the legend of the model with names and colours, and no data where the input has none. Any extent works: the raster is read in tiles. The model runs in a Python process of its own, so PyTorch is not needed in QGIS.

The bundled model has the four classes that one radar image can tell apart: Tree cover, Open land, Built-up, and Water or very smooth surface. Fields, grass, shrub and bare soil are one class, open land. Smooth bare fields, runways, smooth snow, sand and radar shadow look like water to a radar. For crops and other classes, use 'Train own classes from samples', or a model of several dates.

A model is only as good as its training data; the model's card describes them and gives the accuracy on held-out places. Check the map at places that you know.</source>
        <translation>Hace un mapa de cobertura del suelo a partir de la retrodispersión de Sentinel-1 (VV y VH) con un transformador de visión preentrenado por autodestilación (DINO).

El mapa tiene la cuadrícula y el SRC de la entrada, la leyenda del modelo con nombres y colores, y queda sin datos donde la entrada no los tiene. Sirve cualquier extensión: el ráster se lee por teselas. El modelo se ejecuta en un proceso de Python propio, de modo que no hace falta PyTorch en QGIS.

El modelo incluido tiene las cuatro clases que una sola imagen de radar permite distinguir: cubierta arbórea, terreno abierto, edificado, y agua o superficie muy lisa. Cultivos, pastos, matorral y suelo desnudo son una sola clase, terreno abierto. Los campos desnudos y lisos, las pistas de aterrizaje, la nieve lisa, la arena y la sombra de radar parecen agua para un radar. Para cultivos y otras clases, usar «Entrenar clases propias con muestras» o un modelo de varias fechas.

Un modelo solo es tan bueno como sus datos de entrenamiento; la ficha del modelo los describe e indica la exactitud en lugares reservados para la validación. Conviene comprobar el mapa en lugares conocidos.</translation>
    </message>
    <message>
        <source>Further dates</source>
        <translation>Más fechas</translation>
    </message>
    <message>
        <source>Rasters of the same place on other dates, with VV and VH each; any unit, extent and grid. Each date is mapped, and the probabilities of all are joined: more accurate, with less speckle. Each takes as long as the first.</source>
        <translation>Rásteres del mismo lugar en otras fechas, cada uno con VV y VH; con cualquier unidad, extensión y cuadrícula. Se clasifica cada fecha y se combinan las probabilidades de todas: más exactitud y menos moteado. Cada una tarda tanto como la primera.</translation>
    </message>
    <message>
        <source>Land cover</source>
        <translation>Cobertura del suelo</translation>
    </message>
    <message>
        <source>Class of each pixel (GeoTIFF with colours and names).</source>
        <translation>Clase de cada píxel (GeoTIFF con colores y nombres).</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Confianza</translation>
    </message>
    <message>
        <source>Probability of the chosen class. Models tend to be overconfident.</source>
        <translation>Probabilidad de la clase elegida. Los modelos tienden a un exceso de confianza.</translation>
    </message>
    <message>
        <source>Class probabilities</source>
        <translation>Probabilidades de las clases</translation>
    </message>
    <message>
        <source>One band per class of the model.</source>
        <translation>Una banda por clase del modelo.</translation>
    </message>
    <message>
        <source>Agreement of dates</source>
        <translation>Concordancia de las fechas</translation>
    </message>
    <message>
        <source>With further dates: the share of the dates that have the class of the map by themselves, 0 to 1.</source>
        <translation>Con más fechas: la proporción de las fechas que por sí solas dan la clase del mapa, de 0 a 1.</translation>
    </message>
    <message>
        <source>The agreement of dates needs further dates. Add some, or leave it out.</source>
        <translation>La concordancia de las fechas necesita más fechas. Añadir alguna, o prescindir de ella.</translation>
    </message>
    <message>
        <source>Lead of the class over the next one, 0 to 1. 'Next samples to label' uses it.</source>
        <translation>Ventaja de la clase sobre la siguiente, de 0 a 1. La usa «Próximas muestras por etiquetar».</translation>
    </message>
    <message>
        <source>Entropy</source>
        <translation>Entropía</translation>
    </message>
    <message>
        <source>Entropy of the class probabilities: 0 where the model is certain, 1 where all classes are equal.</source>
        <translation>Entropía de las probabilidades de las clases: 0 donde el modelo está seguro, 1 donde todas las clases son iguales.</translation>
    </message>
    <message>
        <source>Disagreement of tiles</source>
        <translation>Desacuerdo entre teselas</translation>
    </message>
    <message>
        <source>How much overlapping tiles disagree, 0 to 1; no data where a pixel lies in one tile only.</source>
        <translation>En qué medida discrepan las teselas solapadas, de 0 a 1; sin datos donde un píxel está en una sola tesela.</translation>
    </message>
    <message>
        <source>Surroundings of the same class</source>
        <translation>Entorno de la misma clase</translation>
    </message>
    <message>
        <source>Share of the pixels within 150 m that have the class of the pixel. Specks are more often wrong.</source>
        <translation>Proporción de los píxeles a menos de 150 m que tienen la clase del píxel. Las motas son erróneas con más frecuencia.</translation>
    </message>
    <message>
        <source>{value:&gt;4}  {name}: {pixels} px ({share:.1f} %)</source>
        <translation>{value:&gt;4}  {name}: {pixels} px ({share:.1f} %)</translation>
    </message>
    <message>
        <source>No pixel of the input is valid: the map is empty.</source>
        <translation>Ningún píxel de la entrada es válido: el mapa está vacío.</translation>
    </message>
    <message>
        <source>To copy the map, take its files together: {}.</source>
        <translation>Para copiar el mapa, llevar juntos sus archivos: {}.</translation>
    </message>
    <message>
        <source>'{}' is for one band. Choose that band in 'Bands', or set the parameter to auto.</source>
        <translation>«{}» es para una sola banda. Elegir esa banda en «Bandas», o dejar el parámetro en auto.</translation>
    </message>
    <message>
        <source>Polarisation of a single band</source>
        <translation>Polarización de una sola banda</translation>
    </message>
    <message>
        <source>The model has no band {band}; it has {bands}. Choose another model or polarisation.</source>
        <translation>El modelo no tiene la banda {band}; tiene {bands}. Elegir otro modelo u otra polarización.</translation>
    </message>
    <message>
        <source>Done in {:.1f} s.</source>
        <translation>Terminado en {:.1f} s.</translation>
    </message>
    <message>
        <source>Only this part of the raster is mapped, snapped to whole pixels; all of it if empty. Any CRS.</source>
        <translation>Solo se cartografía esta parte del ráster, ajustada a píxeles enteros; todo el ráster si se deja vacío. Cualquier SRC.</translation>
    </message>
    <message>
        <source>SAR raster</source>
        <translation>Ráster SAR</translation>
    </message>
    <message>
        <source>Sentinel-1 or similar backscatter in a raster file, in dB, linear power or amplitude. Or manifest.safe of a Sentinel-1 GRD product as downloaded, which is calibrated first.</source>
        <translation>Retrodispersión de Sentinel-1 o similar en un archivo ráster, en dB, potencia lineal o amplitud. O el manifest.safe de un producto GRD de Sentinel-1 tal como se descarga, que antes se calibra.</translation>
    </message>
    <message>
        <source>Further rasters of the scene</source>
        <translation>Otros rásteres de la escena</translation>
    </message>
    <message>
        <source>If each polarisation is in a separate file: the other files, on the same grid. Their bands follow those of the SAR raster. Bands are found by their descriptions, or by VV and VH in the file names.</source>
        <translation>Si cada polarización está en un archivo aparte: los demás archivos, con la misma cuadrícula. Sus bandas siguen a las del ráster SAR. Las bandas se encuentran por sus descripciones, o por VV y VH en los nombres de los archivos.</translation>
    </message>
    <message>
        <source>Bands of the raster in the order of the model's bands (for the bundled model VV, VH). If empty, they are found by their descriptions, or else the first ones are used.</source>
        <translation>Bandas del ráster en el orden de las bandas del modelo (para el modelo incluido, VV, VH). Si se deja vacío, se buscan por sus descripciones; si no las hay, se usan las primeras.</translation>
    </message>
    <message>
        <source>The polarisation of a raster with one band, if no name says it. The model then runs without the others, and the map is less accurate. auto reads the names.</source>
        <translation>La polarización de un ráster con una sola banda, si ningún nombre la indica. El modelo se ejecuta entonces sin las demás, y el mapa es menos exacto. auto lee los nombres.</translation>
    </message>
    <message>
        <source>Values that can't be backscatter, such as values scaled to 0…1 or coherence, are refused. Check this box to map them anyway; the log and the file say so.</source>
        <translation>Se rechazan los valores que no pueden ser retrodispersión, como los escalados a 0…1 o la coherencia. Marque esta casilla para cartografiarlos de todos modos; el registro y el archivo lo indican.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <source>none</source>
        <translation>ninguno</translation>
    </message>
    <message>
        <source>Name of an installed model, or the path of a model folder (one that holds card.json and model.safetensors). The default model if empty. Installed: {}. More are added in the menu Plugins &gt; SAR Land Cover (DINO) &gt; Models…</source>
        <translation>Nombre de un modelo instalado, o ruta de una carpeta de modelo (la que contiene card.json y model.safetensors). El modelo predeterminado si se deja vacío. Instalados: {}. Se añaden más en el menú Complementos &gt; SAR Land Cover (DINO) &gt; Modelos…</translation>
    </message>
    <message>
        <source>Transformer block</source>
        <translation>Bloque del transformador</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Dispositivo</translation>
    </message>
    <message>
        <source>Where the model runs; auto uses a GPU if a usable one is found (cuda: NVIDIA or AMD, mps: Apple).</source>
        <translation>Dónde se ejecuta el modelo; auto usa una GPU si hay una utilizable (cuda: NVIDIA o AMD; mps: Apple).</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>Tamaño de lote</translation>
    </message>
    <message>
        <source>Tiles per batch; 0 chooses by device. Smaller batches need less memory.</source>
        <translation>Teselas por lote; 0 lo elige según el dispositivo. Los lotes más pequeños necesitan menos memoria.</translation>
    </message>
    <message>
        <source>Model used</source>
        <translation>Modelo usado</translation>
    </message>
    <message>
        <source>Device used</source>
        <translation>Dispositivo usado</translation>
    </message>
    <message>
        <source>onnxruntime: ONNX Runtime on a processor.</source>
        <translation>onnxruntime: ONNX Runtime en un procesador.</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Motor de cálculo</translation>
    </message>
    <message>
        <source>Library that runs the model. auto: OpenVINO on a processor if it is installed, otherwise PyTorch, with the same result. openvino-int8 computes in 8-bit integers: faster on many processors, with a slightly different map.</source>
        <translation>Biblioteca que ejecuta el modelo. auto: OpenVINO en un procesador si está instalado; si no, PyTorch, con el mismo resultado. openvino-int8 calcula con números enteros de 8 bits: más rápido en muchos procesadores, con un mapa ligeramente distinto.</translation>
    </message>
    <message>
        <source>Map of classes</source>
        <translation>Mapa de clases</translation>
    </message>
    <message>
        <source>Values to leave out in addition to nodata, such as 0,255.</source>
        <translation>Valores que se excluyen además de los píxeles sin datos, por ejemplo 0,255.</translation>
    </message>
    <message>
        <source>Seed of the sample</source>
        <translation>Semilla de la muestra</translation>
    </message>
    <message>
        <source>The same seed draws the same places.</source>
        <translation>La misma semilla toma los mismos lugares.</translation>
    </message>
    <message>
        <source>Units of the pixel values: db (decibels), linear_power (sigma0 or gamma0 as power), amplitude (its square root). auto decides from the values, and reports the decision in the log.</source>
        <translation>Unidades de los valores de los píxeles: db (decibelios), linear_power (sigma0 o gamma0 como potencia), amplitude (su raíz cuadrada). auto lo decide por los valores y anota la decisión en el registro.</translation>
    </message>
    <message>
        <source>Similarity to places from SAR</source>
        <translation>Similitud con lugares a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,similarity,search,find,cosine,embeddings,vision transformer,vit,dino</source>
        <translation>sar,sentinel-1,radar,similitud,semejanza,buscar,encontrar,coseno,incrustaciones,embeddings,transformador de visión,vit,dino,similarity</translation>
    </message>
    <message>
        <source>Shows how similar every place of the scene is to a point that you choose, or to the points of a layer: the cosine similarity of the vision transformer's features, from 1 for the point itself down to -1.

With several points, each place gets its similarity to the most similar one. Points outside the raster, or where it has no data, are left out with a warning.

Features belong to patches of the model (8 x 8 pixels of 10 m for the bundled one): objects much smaller than that can't be found. To try points by clicking, use the map tool in the menu SAR Land Cover (DINO).</source>
        <translation>Muestra cuánto se parece cada lugar de la escena a un punto elegido, o a los puntos de una capa: la similitud del coseno de las características del transformador de visión, de 1 en el propio punto hasta -1.

Con varios puntos, cada lugar recibe su similitud con el más parecido. Los puntos fuera del ráster, o donde este no tiene datos, se excluyen con una advertencia.

Las características corresponden a parches del modelo (8 x 8 píxeles de 10 m en el modelo incluido): no se pueden encontrar objetos mucho más pequeños. Para probar puntos con clics, usar la herramienta de mapa del menú SAR Land Cover (DINO).</translation>
    </message>
    <message>
        <source>Point</source>
        <translation>Punto</translation>
    </message>
    <message>
        <source>The place to compare others with, in any CRS. May be empty if there is a layer of points.</source>
        <translation>El lugar con el que se comparan los demás, en cualquier SRC. Puede quedar vacío si hay una capa de puntos.</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Puntos</translation>
    </message>
    <message>
        <source>More such places: a layer of at most 100 points, or its selected points, in any CRS.</source>
        <translation>Más lugares de ese tipo: una capa de 100 puntos como máximo, o sus puntos seleccionados, en cualquier SRC.</translation>
    </message>
    <message>
        <source>input: the pixels of the input, with features interpolated between patches. patch: one pixel for each patch of the model (80 m for the bundled one), aligned with the input; smaller and faster.</source>
        <translation>input: los píxeles de la entrada, con las características interpoladas entre los parches. patch: un píxel por cada parche del modelo (80 m para el modelo incluido), alineado con la entrada; más pequeño y rápido.</translation>
    </message>
    <message>
        <source>The block whose features are compared, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuyas características se comparan, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Similarity</source>
        <translation>Similitud</translation>
    </message>
    <message>
        <source>Cosine similarity, -1 to 1 (GeoTIFF).</source>
        <translation>Similitud del coseno, de -1 a 1 (GeoTIFF).</translation>
    </message>
    <message>
        <source>No place to compare with: give a point, or a layer of points.</source>
        <translation>No hay ningún lugar con el que comparar: indicar un punto o una capa de puntos.</translation>
    </message>
    <message>
        <source>The layer of points has no usable point. Choose another layer, or give a point.</source>
        <translation>La capa de puntos no contiene ningún punto utilizable. Elegir otra capa, o indicar un punto.</translation>
    </message>
    <message>
        <source>Only for a Sentinel-1 product as downloaded.</source>
        <translation>Solo para un producto de Sentinel-1 tal como se descarga.</translation>
    </message>
    <message>
        <source>Elevation model</source>
        <translation>Modelo de elevaciones</translation>
    </message>
    <message>
        <source>Heights in metres or feet, in any CRS, such as tiles of the Copernicus DEM or SRTM. It should cover the scene: the result has no values where it has none. Without it there is no terrain correction.</source>
        <translation>Alturas en metros o pies, en cualquier SRC, como las teselas del DEM de Copernicus o SRTM. Debe cubrir la escena: el resultado no tiene valores donde faltan alturas. Sin él no hay corrección del terreno.</translation>
    </message>
    <message>
        <source>Heights above</source>
        <translation>Alturas sobre</translation>
    </message>
    <message>
        <source>geoid: mean sea level, as in the Copernicus DEM, SRTM and most others (EGM96 is used). ellipsoid: the WGS 84 ellipsoid. The wrong choice displaces the result by tens of metres.</source>
        <translation>geoid: el nivel medio del mar, como en el DEM de Copernicus, SRTM y la mayoría (se usa EGM96). ellipsoid: el elipsoide WGS 84. La elección equivocada desplaza el resultado decenas de metros.</translation>
    </message>
    <message>
        <source>Precise orbits (*.EOF *.eof *.zip)</source>
        <translation>Órbitas precisas (*.EOF *.eof *.zip)</translation>
    </message>
    <message>
        <source>Precise orbits</source>
        <translation>Órbitas precisas</translation>
    </message>
    <message>
        <source>File of orbits (EOF) of the satellite and day, which is used with the elevation model in place of the orbit in the product. The latter is accurate to a few metres; only old products gain from another.</source>
        <translation>Archivo de órbitas (EOF) del satélite y del día, que se usa con el modelo de elevaciones en lugar de la órbita del producto. El error de esta es de pocos metros; solo los productos antiguos mejoran con otra.</translation>
    </message>
    <message>
        <source>Corrects brightness for slopes, with the elevation model: backscatter is related to the area of the ground that the radar sees (terrain-flattened gamma0, Small 2011). Takes about twice as long.</source>
        <translation>Corrige el brillo de las laderas con el modelo de elevaciones: la retrodispersión se refiere a la superficie del terreno que el radar ve (gamma0 con aplanamiento del terreno, Small 2011). Tarda aproximadamente el doble.</translation>
    </message>
    <message>
        <source>Layover and shadow as nodata</source>
        <translation>Inversión por relieve y sombra sin datos</translation>
    </message>
    <message>
        <source>Makes places nodata where, by the elevation model, several slopes share one echo (layover) or the radar sees nothing (shadow): values there say nothing about the ground.</source>
        <translation>Deja sin datos los lugares donde, según el modelo de elevaciones, varias laderas comparten un eco (inversión por relieve) o el radar no ve nada (sombra): los valores de esos lugares no dicen nada del terreno.</translation>
    </message>
    <message>
        <source>'{}' needs an elevation model: choose one in 'Elevation model', or leave that out.</source>
        <translation>«{}» necesita un modelo de elevaciones: elegir uno en «Modelo de elevaciones», o no pedirlo.</translation>
    </message>
    <message>
        <source>Train own classes from samples</source>
        <translation>Entrenar clases propias con muestras</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,train,training,samples,classifier,supervised,own classes,dino</source>
        <translation>sar,sentinel-1,radar,entrenar,entrenamiento,muestras,clasificador,supervisado,clases propias,dino</translation>
    </message>
    <message>
        <source>Learns your own classes from points or polygons that you drew over a SAR raster, in about a minute, and writes a model folder, which 'Land cover from SAR' then offers among its models.

Draw samples of each class in several places, spread over the area to be mapped: a hundred small polygons are better than one large one. The accuracy in the log is measured on blocks of samples that are held out in turn; it applies to places like those of the samples, not to others.

This is the way to crops and other classes that the bundled model doesn't have. Choose a date on which they look different: classes of equal backscatter can't be separated, whatever the samples.

Classes that are whole numbers from 1 to 254 keep their values in the map; other classes get new values. If the layer is styled by categories of the field, the map has their names and colours.</source>
        <translation>Aprende clases propias a partir de puntos o polígonos dibujados sobre un ráster SAR, en un minuto más o menos, y escribe una carpeta de modelo, que «Cobertura del suelo a partir de SAR» ofrece desde entonces entre sus modelos.

Conviene dibujar muestras de cada clase en varios lugares, repartidas por la zona que se va a cartografiar: cien polígonos pequeños son mejores que uno grande. La exactitud que figura en el registro se mide en bloques de muestras apartados por turnos; vale para lugares como los de las muestras, no para otros.

Este es el camino hacia los cultivos y otras clases que el modelo incluido no tiene. Conviene elegir una fecha en la que se vean distintas: las clases de igual retrodispersión no se pueden separar, sean cuales sean las muestras.

Las clases que son números enteros de 1 a 254 conservan sus valores en el mapa; las demás reciben valores nuevos. Si la capa se representa por categorías del campo, el mapa lleva sus nombres y colores.</translation>
    </message>
    <message>
        <source>Points or polygons, each of one class, in any CRS. A point stands for the pixel that it is in.</source>
        <translation>Puntos o polígonos, cada uno de una clase, en cualquier SRC. Un punto representa el píxel en el que se encuentra.</translation>
    </message>
    <message>
        <source>Class field</source>
        <translation>Campo de clase</translation>
    </message>
    <message>
        <source>Field of the samples that holds the class, as a number or a text.</source>
        <translation>Campo de las muestras que contiene la clase, como número o como texto.</translation>
    </message>
    <message>
        <source>Further scenes or dates</source>
        <translation>Otras escenas o fechas</translation>
    </message>
    <message>
        <source>Other rasters that samples lie in: neighbouring scenes, or other dates of the same place. Samples are used with every scene that they lie in; the log says which lie in none. Bands and units apply to all.</source>
        <translation>Otros rásteres en los que hay muestras: escenas vecinas, u otras fechas del mismo lugar. Cada muestra se usa con todas las escenas en las que está; el registro indica cuántas no están en ninguna. Las bandas y las unidades valen para todas.</translation>
    </message>
    <message>
        <source>Title of the model</source>
        <translation>Título del modelo</translation>
    </message>
    <message>
        <source>Title of the model in lists; the name of its folder if empty.</source>
        <translation>Título del modelo en las listas; el nombre de su carpeta si se deja vacío.</translation>
    </message>
    <message>
        <source>Measure the accuracy</source>
        <translation>Medir la exactitud</translation>
    </message>
    <message>
        <source>Hold out samples block by block to measure the accuracy. This trains a few more classifiers.</source>
        <translation>Reservar muestras, bloque a bloque, para medir la exactitud. Se entrenan unos clasificadores más.</translation>
    </message>
    <message>
        <source>Model folder</source>
        <translation>Carpeta del modelo</translation>
    </message>
    <message>
        <source>Folder to write the model into: a new one, or that of an older model, which is then replaced. In the folder 'models' of your QGIS profile, which is proposed, the model gets a new folder under its title, or under the name of the samples.</source>
        <translation>Carpeta en la que se escribe el modelo: una nueva, o la de un modelo anterior, que se reemplaza. En la carpeta «models» del perfil de QGIS, que es la propuesta, el modelo recibe una carpeta nueva con su título, o con el nombre de las muestras.</translation>
    </message>
    <message>
        <source>Overall accuracy on held-out samples, 0 to 1</source>
        <translation>Exactitud global en las muestras apartadas, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean IoU on held-out samples, 0 to 1</source>
        <translation>IoU media en las muestras apartadas, de 0 a 1</translation>
    </message>
    <message>
        <source>Spatial blocks of the samples</source>
        <translation>Bloques espaciales de las muestras</translation>
    </message>
    <message>
        <source>The samples have no CRS; the CRS of the raster is assumed.</source>
        <translation>Las muestras no tienen SRC; se supone el del ráster.</translation>
    </message>
    <message>
        <source>The model is written to a temporary folder, which QGIS deletes when it exits.</source>
        <translation>El modelo se guarda en una carpeta temporal, que QGIS elimina al cerrarse.</translation>
    </message>
    <message>
        <source>To map with it, choose the model '{title}' in 'Land cover from SAR'. Its folder: {folder}</source>
        <translation>Para cartografiar con él, elegir el modelo «{title}» en «Cobertura del suelo a partir de SAR». Su carpeta: {folder}</translation>
    </message>
    <message>
        <source>Features in the samples: {}.</source>
        <translation>Objetos espaciales en las muestras: {}.</translation>
    </message>
    <message>
        <source>Backend {}.</source>
        <translation>Motor {}.</translation>
    </message>
    <message>
        <source>Model {model} on {device}, backend {version}.</source>
        <translation>Modelo {model} en {device}, motor {version}.</translation>
    </message>
    <message>
        <source>it closed its output without a result</source>
        <translation>cerró su salida sin dar un resultado</translation>
    </message>
    <message>
        <source>it was killed by signal {}</source>
        <translation>lo terminó la señal {}</translation>
    </message>
    <message>
        <source>exit code {}</source>
        <translation>código de salida {}</translation>
    </message>
    <message>
        <source>the Python package '{}' is missing</source>
        <translation>falta el paquete de Python «{}»</translation>
    </message>
    <message>
        <source>The backend can't start with {python}: {what}.</source>
        <translation>El motor no puede arrancar con {python}: {what}.</translation>
    </message>
    <message>
        <source>The backend ended without a result ({}).</source>
        <translation>El motor terminó sin dar un resultado ({}).</translation>
    </message>
    <message>
        <source>Its last lines:</source>
        <translation>Sus últimas líneas:</translation>
    </message>
    <message>
        <source>Run it again with a smaller extent or batch size, or on the CPU; if it fails again, report these lines.</source>
        <translation>Ejecutarlo de nuevo con una extensión o un tamaño de lote menores, o en la CPU; si vuelve a fallar, notificar estas líneas.</translation>
    </message>
    <message>
        <source>The system may have run out of memory.</source>
        <translation>Es posible que el sistema se haya quedado sin memoria.</translation>
    </message>
    <message>
        <source>The Python interpreter {python} can't be started: {problem}</source>
        <translation>No se puede iniciar el intérprete de Python {python}: {problem}</translation>
    </message>
    <message>
        <source>Starting the backend</source>
        <translation>Iniciando el motor</translation>
    </message>
    <message>
        <source>The worker is running already (process {}).</source>
        <translation>El motor ya está en marcha (proceso {}).</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Cancelado.</translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>queda menos de un minuto</translation>
    </message>
    <message>
        <source>about {} min left</source>
        <translation>quedan unos {} min</translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min left</source>
        <translation>quedan unas {hours} h {minutes} min</translation>
    </message>
    <message>
        <source>Creating the environment</source>
        <translation>Creando el entorno</translation>
    </message>
    <message>
        <source>Testing the environment</source>
        <translation>Probando el entorno</translation>
    </message>
    <message>
        <source>PyTorch and torchvision are pinned by version only: no hashes are known for this build.</source>
        <translation>PyTorch y torchvision están fijados solo por versión: no se conocen los hashes de esta compilación.</translation>
    </message>
    <message>
        <source>Unpacking</source>
        <translation>Desempaquetando</translation>
    </message>
    <message>
        <source>{}, device {}.</source>
        <translation>{}, dispositivo {}.</translation>
    </message>
    <message>
        <source>This PyTorch does not use the graphics card ({}); the processor is used.</source>
        <translation>Este PyTorch no usa la tarjeta gráfica ({}); se usa el procesador.</translation>
    </message>
    <message>
        <source>Free some space, or choose another folder.</source>
        <translation>Liberar espacio, o elegir otra carpeta.</translation>
    </message>
    <message>
        <source>About {} are needed in all.</source>
        <translation>Se necesitan unos {} en total.</translation>
    </message>
    <message>
        <source>The disk filled up: {}</source>
        <translation>El disco se ha llenado: {}</translation>
    </message>
    <message>
        <source>The backend in the new environment gave no valid answer.</source>
        <translation>El motor del nuevo entorno no dio una respuesta válida.</translation>
    </message>
    <message>
        <source>Try again; if it fails again, report this.</source>
        <translation>Intentarlo de nuevo; si vuelve a fallar, notificarlo.</translation>
    </message>
    <message>
        <source>A downloaded file does not have the pinned hash:</source>
        <translation>Un archivo descargado no tiene el hash fijado:</translation>
    </message>
    <message>
        <source>Try again; if it fails again, something between this machine and the package index alters files.</source>
        <translation>Intentarlo de nuevo; si vuelve a fallar, algo altera los archivos entre este equipo y el índice de paquetes.</translation>
    </message>
    <message>
        <source>If it fails again, report it with the log.</source>
        <translation>Si vuelve a fallar, notificarlo junto con el registro.</translation>
    </message>
    <message>
        <source>Check the internet connection and the proxy (QGIS: Settings &gt; Options &gt; Network). Without a connection, download the wheels on another machine and choose their folder here.</source>
        <translation>Comprobar la conexión a Internet y el proxy (QGIS: Configuración &gt; Opciones &gt; Red). Sin conexión, descargar los paquetes wheel en otro equipo y elegir aquí su carpeta.</translation>
    </message>
    <message>
        <source>{} failed: {}</source>
        <translation>{} falló: {}</translation>
    </message>
    <message>
        <source>no output</source>
        <translation>sin salida</translation>
    </message>
    <message>
        <source>QGIS: {}</source>
        <translation>QGIS: {}</translation>
    </message>
    <message>
        <source>This Python: {}</source>
        <translation>Este Python: {}</translation>
    </message>
    <message>
        <source>System: {}</source>
        <translation>Sistema: {}</translation>
    </message>
    <message>
        <source>Graphics card: {}</source>
        <translation>Tarjeta gráfica: {}</translation>
    </message>
    <message>
        <source>no NVIDIA card found</source>
        <translation>no se encontró ninguna tarjeta NVIDIA</translation>
    </message>
    <message>
        <source>Plugin: {}</source>
        <translation>Complemento: {}</translation>
    </message>
    <message>
        <source>Managed environment: {}</source>
        <translation>Entorno del complemento: {}</translation>
    </message>
    <message>
        <source>Interpreter set in the plugin: {}</source>
        <translation>Intérprete configurado en el complemento: {}</translation>
    </message>
    <message>
        <source>not in this Python</source>
        <translation>no disponible en este Python</translation>
    </message>
    <message>
        <source>none in {}</source>
        <translation>ninguno en {}</translation>
    </message>
    <message>
        <source>Backend: none. {}</source>
        <translation>Motor: ninguno. {}</translation>
    </message>
    <message>
        <source>Backend's Python: {}</source>
        <translation>Python del motor: {}</translation>
    </message>
    <message>
        <source>Backend: it fails: {}</source>
        <translation>Motor: falla: {}</translation>
    </message>
    <message>
        <source>Installation: {}</source>
        <translation>Instalación: {}</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>falta</translation>
    </message>
    <message>
        <source>Device: {} (available: {})</source>
        <translation>Dispositivo: {} (disponibles: {})</translation>
    </message>
    <message>
        <source>Models: {}</source>
        <translation>Modelos: {}</translation>
    </message>
    <message>
        <source>Open the menu Plugins &gt; SAR Land Cover (DINO) &gt; Set up backend…, or run in a shell: {command}. If you have a Python environment with the packages in {list}, choose its interpreter in the same menu, or name it in the environment variable SARDINO_PYTHON.</source>
        <translation>Abrir el menú Complementos &gt; SAR Land Cover (DINO) &gt; Configurar el motor…, o ejecutar en una terminal: {command}. Si ya hay un entorno de Python con los paquetes de {list}, elegir su intérprete en el mismo menú, o indicarlo en la variable de entorno SARDINO_PYTHON.</translation>
    </message>
    <message>
        <source>Set up the backend again, and choose With PyTorch: menu Plugins &gt; SAR Land Cover (DINO) &gt; Set up backend…, or run in a shell: {}</source>
        <translation>Configurar el motor de nuevo y elegir «Con PyTorch»: menú Complementos &gt; SAR Land Cover (DINO) &gt; Configurar el motor…, o ejecutar en una terminal: {}</translation>
    </message>
    <message>
        <source>Another installation into {} is running (process {}).</source>
        <translation>Hay otra instalación en curso en {} (proceso {}).</translation>
    </message>
    <message>
        <source>Wait until it is done.</source>
        <translation>Esperar a que termine.</translation>
    </message>
    <message>
        <source>Check that the disk has space left, and that you may write to {}.</source>
        <translation>Comprobar que queda espacio en el disco y que se puede escribir en {}.</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Terminado</translation>
    </message>
    <message>
        <source>{} is kept: it was not made by this plugin, or other files were added to it.</source>
        <translation>Se conserva {}: no la creó este complemento, o se le añadieron otros archivos.</translation>
    </message>
    <message>
        <source>{free} are free in {folder}, and about {needed} are needed.</source>
        <translation>Hay {free} libres en {folder}, y se necesitan unos {needed}.</translation>
    </message>
    <message>
        <source>This build failed: {}</source>
        <translation>Esta compilación falló: {}</translation>
    </message>
    <message>
        <source>PyTorch: {}.</source>
        <translation>PyTorch: {}.</translation>
    </message>
    <message>
        <source>it doesn't start</source>
        <translation>no arranca</translation>
    </message>
    <message>
        <source>Python {}.{}, but at least {}.{} is needed</source>
        <translation>Python {}.{}, pero se necesita al menos {}.{}</translation>
    </message>
    <message>
        <source>a 64-bit Python is needed</source>
        <translation>se necesita un Python de 64 bits</translation>
    </message>
    <message>
        <source>the module {} is missing</source>
        <translation>falta el módulo {}</translation>
    </message>
    <message>
        <source>(on Debian and Ubuntu: sudo apt install python3-venv)</source>
        <translation>(en Debian y Ubuntu: sudo apt install python3-venv)</translation>
    </message>
    <message>
        <source>there is no build of {} for {} with Python {}</source>
        <translation>no hay ninguna compilación de {} para {} con Python {}</translation>
    </message>
    <message>
        <source>choose {}</source>
        <translation>elegir «{}»</translation>
    </message>
    <message>
        <source>take Python {}</source>
        <translation>tome Python {}</translation>
    </message>
    <message>
        <source>a virtual environment made with it doesn't start</source>
        <translation>un entorno virtual creado con él no arranca</translation>
    </message>
    <message>
        <source>{}: there is no such program</source>
        <translation>{}: no existe ese programa</translation>
    </message>
    <message>
        <source>none found</source>
        <translation>no se encontró ninguno</translation>
    </message>
    <message>
        <source>For mapping</source>
        <translation>Para cartografiar</translation>
    </message>
    <message>
        <source>With PyTorch</source>
        <translation>Con PyTorch</translation>
    </message>
    <message>
        <source>For NVIDIA or Apple graphics, and to train.</source>
        <translation>Para tarjetas gráficas de NVIDIA o Apple, y para entrenar.</translation>
    </message>
    <message>
        <source>With PyTorch: for NVIDIA or Apple graphics, and to train</source>
        <translation>Con PyTorch: para tarjetas gráficas de NVIDIA o Apple, y para entrenar</translation>
    </message>
    <message>
        <source>there is no such file</source>
        <translation>no existe ese archivo</translation>
    </message>
    <message>
        <source>this is not a file</source>
        <translation>no es un archivo</translation>
    </message>
    <message>
        <source>the file is not executable</source>
        <translation>el archivo no es ejecutable</translation>
    </message>
    <message>
        <source>environment variable {}</source>
        <translation>variable de entorno {}</translation>
    </message>
    <message>
        <source>setting of the plugin</source>
        <translation>configuración del complemento</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>sin establecer</translation>
    </message>
    <message>
        <source>environment managed by the plugin</source>
        <translation>entorno gestionado por el complemento</translation>
    </message>
    <message>
        <source>The Python interpreter {path} can't be used ({origin}): {problem}.</source>
        <translation>No se puede usar el intérprete de Python {path} ({origin}): {problem}.</translation>
    </message>
    <message>
        <source>Correct it, or remove it.</source>
        <translation>Corregirlo o quitarlo.</translation>
    </message>
    <message>
        <source>Looked for it at: {}.</source>
        <translation>Se buscó en: {}.</translation>
    </message>
    <message>
        <source>No Python interpreter for the backend is set up.</source>
        <translation>No hay ningún intérprete de Python configurado para el motor.</translation>
    </message>
    <message>
        <source>The plugin is incomplete: no folder 'backend' in {here} or {parent}.</source>
        <translation>El complemento está incompleto: no hay una carpeta «backend» en {here} ni en {parent}.</translation>
    </message>
    <message>
        <source>Install the plugin's zip again.</source>
        <translation>Volver a instalar el zip del complemento.</translation>
    </message>
    <message>
        <source>the default build</source>
        <translation>la compilación predeterminada</translation>
    </message>
    <message>
        <source>the CPU build, if pip's settings name an index that has it</source>
        <translation>la compilación para el procesador, si la configuración de pip indica un índice que la tiene</translation>
    </message>
    <message>
        <source>the build from the chosen source</source>
        <translation>la compilación del origen elegido</translation>
    </message>
    <message>
        <source>the default build, with CUDA for NVIDIA cards</source>
        <translation>la compilación predeterminada, con CUDA para tarjetas NVIDIA</translation>
    </message>
    <message>
        <source>the package index that {} is configured to use</source>
        <translation>el índice de paquetes que {} tiene configurado</translation>
    </message>
    <message>
        <source>Packages: {packages}, rasterio, scikit-learn and their dependencies, from {place}</source>
        <translation>Paquetes: {packages}, rasterio, scikit-learn y sus dependencias (origen: {place})</translation>
    </message>
    <message>
        <source>PyTorch: {}</source>
        <translation>PyTorch: {}</translation>
    </message>
    <message>
        <source>; otherwise </source>
        <translation>; si no, </translation>
    </message>
    <message>
        <source>Size: {}</source>
        <translation>Tamaño: {}</translation>
    </message>
    <message>
        <source>Folder: {}</source>
        <translation>Carpeta: {}</translation>
    </message>
    <message>
        <source>Built on: Python {version}, {path} (with {tool})</source>
        <translation>Basado en: Python {version}, {path} (con {tool})</translation>
    </message>
    <message>
        <source>Installed there now, and replaced when the new one works: {}</source>
        <translation>Instalado ahora allí, y sustituido cuando el nuevo funcione: {}</translation>
    </message>
    <message>
        <source>No hashes are known for {} with Python {}: versions are pinned, files are not checked.</source>
        <translation>No se conocen hashes para {} con Python {}: las versiones están fijadas, los archivos no se comprueban.</translation>
    </message>
    <message>
        <source>that of the Apple processor</source>
        <translation>la del procesador de Apple</translation>
    </message>
    <message>
        <source>This installation computes on the processor; With PyTorch uses the card.</source>
        <translation>Esta instalación calcula en el procesador; «Con PyTorch» usa la tarjeta.</translation>
    </message>
    <message>
        <source>For the smaller CPU build, choose PyTorch's package index for CPUs as the source of PyTorch.</source>
        <translation>Para la compilación más pequeña, solo para el procesador, elegir como origen de PyTorch el índice de paquetes de PyTorch para procesadores.</translation>
    </message>
    <message>
        <source>The default build of PyTorch for Windows does not use the card. For one that does, choose PyTorch's package index for CUDA as the source of PyTorch.</source>
        <translation>La compilación predeterminada de PyTorch para Windows no usa la tarjeta. Para una que la use, elegir como origen de PyTorch el índice de paquetes de PyTorch para CUDA.</translation>
    </message>
    <message>
        <source>unknown for this machine; about 130 MB to download on others</source>
        <translation>desconocido para este equipo; en otros, unos 130 MB de descarga</translation>
    </message>
    <message>
        <source>unknown for this machine; 0.2 to 3 GB to download on others</source>
        <translation>desconocido para este equipo; en otros, de 0.2 a 3 GB de descarga</translation>
    </message>
    <message>
        <source>with CUDA {}</source>
        <translation>con CUDA, {}</translation>
    </message>
    <message>
        <source>about {} to download, {} on disk</source>
        <translation>unos {} de descarga, {} en disco</translation>
    </message>
    <message>
        <source>There is no folder {}.</source>
        <translation>No existe la carpeta {}.</translation>
    </message>
    <message>
        <source>Choose a folder of wheels.</source>
        <translation>Elegir una carpeta con paquetes wheel.</translation>
    </message>
    <message>
        <source>With a folder of wheels no package index is used, but the source of PyTorch is an index.</source>
        <translation>Con una carpeta de paquetes wheel no se usa ningún índice, pero el origen de PyTorch es un índice.</translation>
    </message>
    <message>
        <source>Choose a folder as the source of PyTorch too, or leave one of the two empty.</source>
        <translation>Elegir también una carpeta como origen de PyTorch, o dejar vacío uno de los dos.</translation>
    </message>
    <message>
        <source>No suitable Python was found to build the environment on ({}).</source>
        <translation>No se encontró ningún Python adecuado para crear el entorno ({}).</translation>
    </message>
    <message>
        <source>Install a 64-bit Python ({} to 3.14) and try again, or name one.</source>
        <translation>Instalar un Python de 64 bits (de {} a 3.14) e intentarlo de nuevo, o indicar uno.</translation>
    </message>
    <message>
        <source>The plugin is incomplete: it has no list of packages.</source>
        <translation>El complemento está incompleto: no tiene la lista de paquetes.</translation>
    </message>
    <message>
        <source>Choose a new or an empty folder.</source>
        <translation>Elegir una carpeta nueva o vacía.</translation>
    </message>
    <message>
        <source>The folder {folder} holds {name}, which was not made by this plugin.</source>
        <translation>La carpeta {folder} contiene {name}, que no creó este complemento.</translation>
    </message>
    <message>
        <source>Downloading, {:.0f} MB of about {:.0f} MB</source>
        <translation>Descargando, {:.0f} MB de unos {:.0f} MB</translation>
    </message>
    <message>
        <source>{} is a file of another program.</source>
        <translation>{} es un archivo de otro programa.</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Ficha del modelo</translation>
    </message>
    <message>
        <source>Diagnostics: SAR Land Cover (DINO)</source>
        <translation>Diagnóstico: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Asking the backend; this takes some seconds…</source>
        <translation>Consultando al motor; tarda unos segundos…</translation>
    </message>
    <message>
        <source>Copy to clipboard</source>
        <translation>Copiar al portapapeles</translation>
    </message>
    <message>
        <source>Diagnostics</source>
        <translation>Diagnóstico</translation>
    </message>
    <message>
        <source>Default model; or the name or folder of another</source>
        <translation>Modelo predeterminado; o el nombre o la carpeta de otro</translation>
    </message>
    <message>
        <source>Choose the folder of a model</source>
        <translation>Elegir la carpeta de un modelo</translation>
    </message>
    <message>
        <source>What the model was trained on, its accuracy and limits</source>
        <translation>Con qué se entrenó el modelo, su exactitud y sus limitaciones</translation>
    </message>
    <message>
        <source>Folder of a model</source>
        <translation>Carpeta de un modelo</translation>
    </message>
    <message>
        <source>Models: SAR Land Cover (DINO)</source>
        <translation>Modelos: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>Añadir carpeta…</translation>
    </message>
    <message>
        <source>Add a model: a folder that holds card.json and model.safetensors</source>
        <translation>Añadir un modelo: una carpeta que contiene card.json y model.safetensors</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Olvidar</translation>
    </message>
    <message>
        <source>Remove the model from this list. Its files are not deleted.</source>
        <translation>Quitar el modelo de esta lista. Sus archivos no se eliminan.</translation>
    </message>
    <message>
        <source>{} (default)</source>
        <translation>{} (predeterminado)</translation>
    </message>
    <message>
        <source>Removed from the list: {}. The folder was not changed.</source>
        <translation>Quitado de la lista: {}. La carpeta no se modificó.</translation>
    </message>
    <message>
        <source>The backend is checking {}; this takes some seconds…</source>
        <translation>El motor está comprobando {}; tarda unos segundos…</translation>
    </message>
    <message>
        <source>Checking the model</source>
        <translation>Comprobando el modelo</translation>
    </message>
    <message>
        <source>Not added: {}</source>
        <translation>No añadido: {}</translation>
    </message>
    <message>
        <source>Added: {}. Dialogs that are opened from now on offer it.</source>
        <translation>Añadido: {}. Los cuadros de diálogo que se abran a partir de ahora lo ofrecen.</translation>
    </message>
    <message>
        <source>Samples by a click</source>
        <translation>Muestras con un clic</translation>
    </message>
    <message>
        <source>Name of the class</source>
        <translation>Nombre de la clase</translation>
    </message>
    <message>
        <source>To the left the outline grows, to the right it shrinks.</source>
        <translation>Hacia la izquierda el contorno crece, hacia la derecha se encoge.</translation>
    </message>
    <message>
        <source>Click on a place in the map.</source>
        <translation>Hacer clic en un lugar del mapa.</translation>
    </message>
    <message>
        <source>Add sample</source>
        <translation>Añadir muestra</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Clase</translation>
    </message>
    <message>
        <source>Least similarity</source>
        <translation>Similitud mínima</translation>
    </message>
    <message>
        <source>Outline</source>
        <translation>Contorno</translation>
    </message>
    <message>
        <source>Click on a place first: its outline becomes the sample.</source>
        <translation>Hacer clic primero en un lugar: su contorno será la muestra.</translation>
    </message>
    <message>
        <source>Write the name of the class first.</source>
        <translation>Escribir primero el nombre de la clase.</translation>
    </message>
    <message>
        <source>Nothing is so similar.</source>
        <translation>Nada es tan parecido.</translation>
    </message>
    <message>
        <source>{:.1f} ha</source>
        <translation>{:.1f} ha</translation>
    </message>
    <message>
        <source>Set up backend: SAR Land Cover (DINO)</source>
        <translation>Configurar el motor: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Instalar</translation>
    </message>
    <message>
        <source>Cancel installation</source>
        <translation>Cancelar la instalación</translation>
    </message>
    <message>
        <source>Other choices</source>
        <translation>Otras opciones</translation>
    </message>
    <message>
        <source>Folder of the environment</source>
        <translation>Carpeta del entorno</translation>
    </message>
    <message>
        <source>Found automatically</source>
        <translation>Se busca automáticamente</translation>
    </message>
    <message>
        <source>None: packages are downloaded</source>
        <translation>Ninguna: los paquetes se descargan</translation>
    </message>
    <message>
        <source>The default build</source>
        <translation>La compilación predeterminada</translation>
    </message>
    <message>
        <source>Address of a package index, or a folder, with another build of PyTorch: for the CPU only, which is smaller, or for CUDA on Windows. PyTorch's installation page lists the addresses.</source>
        <translation>Dirección de un índice de paquetes, o una carpeta, con otra compilación de PyTorch: solo para el procesador, que es más pequeña, o para CUDA en Windows. La página de instalación de PyTorch indica las direcciones.</translation>
    </message>
    <message>
        <source>For machines without a connection: a folder filled on a machine with the same system and Python with 'pip download --require-hashes --no-deps -d FOLDER -r requirements-mapping-locked.txt' (or requirements-pytorch-locked.txt).</source>
        <translation>Para equipos sin conexión: una carpeta llenada en un equipo con el mismo sistema y Python con «pip download --require-hashes --no-deps -d CARPETA -r requirements-mapping-locked.txt» (o requirements-pytorch-locked.txt).</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Carpeta</translation>
    </message>
    <message>
        <source>Python to build on</source>
        <translation>Python de base</translation>
    </message>
    <message>
        <source>Folder of wheels</source>
        <translation>Carpeta de paquetes wheel</translation>
    </message>
    <message>
        <source>Source of PyTorch</source>
        <translation>Origen de PyTorch</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>Cancelando…</translation>
    </message>
    <message>
        <source>The backend is set up. You can run the algorithms now.</source>
        <translation>El motor está configurado. Ya se pueden ejecutar los algoritmos.</translation>
    </message>
    <message>
        <source>The environment variable {} names another environment, which is used instead.</source>
        <translation>La variable de entorno {} indica otro entorno, que es el que se usa.</translation>
    </message>
    <message>
        <source>Cancelled. Nothing was changed.</source>
        <translation>Cancelado. No se cambió nada.</translation>
    </message>
    <message>
        <source>The backend, which computes the maps, is not set up yet.</source>
        <translation>El motor, que calcula los mapas, aún no está configurado.</translation>
    </message>
    <message>
        <source>Press 'Set up now' in the bar above the map.</source>
        <translation>Pulsar «Configurar ahora» en la barra sobre el mapa.</translation>
    </message>
    <message>
        <source>SAR Land Cover (DINO)</source>
        <translation>SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Set up now</source>
        <translation>Configurar ahora</translation>
    </message>
    <message>
        <source>Set up the backend of SAR Land Cover (DINO)</source>
        <translation>Configurar el motor de SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Unexpected {}: {}</source>
        <translation>Error inesperado {}: {}</translation>
    </message>
    <message>
        <source>The algorithms run in a separate Python environment. It is set up once, in your QGIS profile; QGIS's own Python is not changed. Nothing is installed before you press Install.</source>
        <translation>Los algoritmos se ejecutan en un entorno de Python aparte. Se configura una sola vez, en el perfil de QGIS; el Python de QGIS no se modifica. No se instala nada antes de pulsar Instalar.</translation>
    </message>
    <message>
        <source>Similarity to a place</source>
        <translation>Similitud con un lugar</translation>
    </message>
    <message>
        <source>This place lies outside the layer '{}'.</source>
        <translation>Este lugar está fuera de la capa «{}».</translation>
    </message>
    <message>
        <source>Select the raster layer to be searched in the layer panel first.</source>
        <translation>Seleccionar primero en el panel de capas la capa ráster en la que buscar.</translation>
    </message>
    <message>
        <source>'{}' is a result, and its scene is not in the project. Select the SAR raster.</source>
        <translation>«{}» es un resultado, y su escena no está en el proyecto. Seleccionar el ráster SAR.</translation>
    </message>
    <message>
        <source>The scene is read once; later clicks are answered immediately.</source>
        <translation>La escena se lee una sola vez; los clics posteriores se responden al momento.</translation>
    </message>
    <message>
        <source>Similarity in {}</source>
        <translation>Similitud en {}</translation>
    </message>
    <message>
        <source>The similarity layer {} can't be opened.</source>
        <translation>No se puede abrir la capa de similitud {}.</translation>
    </message>
    <message>
        <source>The layer has no field '{}'.</source>
        <translation>La capa no tiene ningún campo «{}».</translation>
    </message>
    <message>
        <source>Feature {id} can't be transformed to the CRS of the raster: {why}</source>
        <translation>El objeto espacial {id} no se puede transformar al SRC del ráster: {why}</translation>
    </message>
    <message>
        <source>Output '{output}' of SAR Land Cover (DINO) from {input}.</source>
        <translation>Salida «{output}» de SAR Land Cover (DINO) a partir de {input}.</translation>
    </message>
    <message>
        <source>{date}: made by SAR Land Cover (DINO) {version} with the model {model} (weights SHA-256 {sha}).</source>
        <translation>{date}: creado por SAR Land Cover (DINO) {version} con el modelo {model} (SHA-256 de los pesos: {sha}).</translation>
    </message>
    <message>
        <source>{date}: made by SAR Land Cover (DINO) {version}.</source>
        <translation>{date}: creado por SAR Land Cover (DINO) {version}.</translation>
    </message>
    <message>
        <source>little attention</source>
        <translation>poca atención</translation>
    </message>
    <message>
        <source>much attention</source>
        <translation>mucha atención</translation>
    </message>
    <message>
        <source>holds the attention of this head</source>
        <translation>reúne la atención de esta cabeza</translation>
    </message>
    <message>
        <source>unlike the place</source>
        <translation>distinto del lugar</translation>
    </message>
    <message>
        <source>like the place</source>
        <translation>parecido al lugar</translation>
    </message>
    <message>
        <source>Samples in {}</source>
        <translation>Muestras en {}</translation>
    </message>
    <message>
        <source>{given} stands for several files, not for one raster: {names}. Give one file of the scene as SAR raster, and its others, if there are any, as Further rasters of the scene.</source>
        <translation>{given} representa varios archivos, no un ráster: {names}. Indicar un archivo de la escena como Ráster SAR, y los demás, si los hay, como Otros rásteres de la escena.</translation>
    </message>
    <message>
        <source>The layer '{name}' comes from '{provider}', not from a raster file. Web services give pictures, not backscatter, and exporting a picture doesn't change that: download the scene as a file, with the values of VV and VH, and use that.</source>
        <translation>La capa «{name}» procede de «{provider}», no de un archivo ráster. Los servicios web ofrecen imágenes, no retrodispersión, y exportar una imagen no lo cambia: descargar la escena como archivo, con los valores de VV y VH, y usarlo.</translation>
    </message>
    <message>
        <source>Open options of the layer are not used: {}</source>
        <translation>No se usan las opciones de apertura de la capa: {}</translation>
    </message>
    <message>
        <source>The layer '{}' exists only in the memory of QGIS. Save it to a file, and use that.</source>
        <translation>La capa «{}» solo existe en la memoria de QGIS. Guardarla en un archivo y usar este.</translation>
    </message>
    <message>
        <source>The CRS of the layer ({layer}) differs from that of its file ({file}); results get the file's CRS.</source>
        <translation>El SRC de la capa ({layer}) difiere del de su archivo ({file}); los resultados llevan el del archivo.</translation>
    </message>
    <message>
        <source>custom</source>
        <translation>personalizado</translation>
    </message>
    <message>
        <source>The extent {wanted} does not overlap the layer '{name}' ({has}). Choose another one, or none.</source>
        <translation>La extensión {wanted} no se solapa con la capa «{name}» ({has}). Elegir otra, o ninguna.</translation>
    </message>
    <message>
        <source>Point features without a geometry in the CRS of the raster, left out: {}.</source>
        <translation>Puntos excluidos por no tener geometría en el SRC del ráster: {}.</translation>
    </message>
    <message>
        <source>This folder has no readable card.json. Remove the model, or copy its folder again.</source>
        <translation>Esta carpeta no tiene un card.json legible. Quitar el modelo, o copiar de nuevo su carpeta.</translation>
    </message>
    <message>
        <source>Trained on</source>
        <translation>Entrenado con</translation>
    </message>
    <message>
        <source>The card doesn't say.</source>
        <translation>La ficha no lo dice.</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limitaciones</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>Exactitud</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Clases</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>Entrada</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Licencia</translation>
    </message>
    <message>
        <source>The card names none.</source>
        <translation>La ficha no indica ninguna.</translation>
    </message>
    <message>
        <source>There is no model or folder named {}.</source>
        <translation>No hay ningún modelo ni ninguna carpeta con el nombre {}.</translation>
    </message>
    <message>
        <source>… and {} more in card.json</source>
        <translation>… y {} más en card.json</translation>
    </message>
    <message>
        <source>The card states no limits. Check maps at places that you know.</source>
        <translation>La ficha no indica limitaciones. Comprobar los mapas en lugares conocidos.</translation>
    </message>
    <message>
        <source>It needs these bands: {}.</source>
        <translation>Necesita estas bandas: {}.</translation>
    </message>
    <message>
        <source>It is made for pixels of {} m. Others are resampled; coarser ones give less accurate maps.</source>
        <translation>Está hecho para píxeles de {} m. Los demás se remuestrean; los más gruesos dan mapas menos exactos.</translation>
    </message>
    <message>
        <source>linear power</source>
        <translation>potencia lineal</translation>
    </message>
    <message>
        <source>Backscatter convention {product}, pixels of {metres} m, tiles of {tile} and patches of {patch} pixels.</source>
        <translation>Convención de retrodispersión {product}, píxeles de {metres} m, teselas de {tile} y parches de {patch} píxeles.</translation>
    </message>
    <message>
        <source>Band</source>
        <translation>Banda</translation>
    </message>
    <message>
        <source>Unit</source>
        <translation>Unidad</translation>
    </message>
    <message>
        <source>Range</source>
        <translation>Intervalo</translation>
    </message>
    <message>
        <source>The card gives no figures: the accuracy of this model is unknown.</source>
        <translation>La ficha no da cifras: la exactitud de este modelo se desconoce.</translation>
    </message>
    <message>
        <source>card.json contains more detailed figures.</source>
        <translation>card.json contiene cifras más detalladas.</translation>
    </message>
    <message>
        <source>Bundled model</source>
        <translation>Modelo incluido</translation>
    </message>
    <message>
        <source>Find similar places</source>
        <translation>Buscar lugares similares</translation>
    </message>
    <message>
        <source>Click on the active SAR raster to see which places are similar; Ctrl+click adds a place</source>
        <translation>Hacer clic en el ráster SAR activo para ver qué lugares se parecen; Ctrl+clic añade un lugar</translation>
    </message>
    <message>
        <source>Draw samples by a click</source>
        <translation>Dibujar muestras con un clic</translation>
    </message>
    <message>
        <source>Click on a place in the active SAR raster: its outline becomes a sample for 'Train own classes'</source>
        <translation>Hacer clic en un lugar del ráster SAR activo: su contorno será una muestra para «Entrenar clases propias»</translation>
    </message>
    <message>
        <source>Load sample scene</source>
        <translation>Cargar escena de ejemplo</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelos…</translation>
    </message>
    <message>
        <source>Set up backend…</source>
        <translation>Configurar el motor…</translation>
    </message>
    <message>
        <source>Choose Python interpreter…</source>
        <translation>Elegir el intérprete de Python…</translation>
    </message>
    <message>
        <source>Diagnostics…</source>
        <translation>Diagnóstico…</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Ayuda</translation>
    </message>
    <message>
        <source>Simulated sample scene</source>
        <translation>Escena de ejemplo simulada</translation>
    </message>
    <message>
        <source>Python interpreter of the backend's environment</source>
        <translation>Intérprete de Python del entorno del motor</translation>
    </message>
</context>
</TS>
